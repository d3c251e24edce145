//! `plain-client URL FILE CONNECTIONS`: runs [`coho_bench::plain`] and prints how many rows it sent.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, file, connections] = arguments.as_slice() else {
        return Err("usage: plain-client URL FILE CONNECTIONS".into());
    };
    let sent = coho_bench::plain::deliver(url, Path::new(file), connections.parse()?).await?;
    writeln!(io::stdout(), "{sent}")?;
    Ok(())
}
