//! `null-server [MILLISECONDS]`: serves [`coho_bench::null`] on a free port of the loopback interface and prints its address.
//! Each answer takes so long; none where no time is given.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let wait = std::env::args().nth(1).map_or(Ok(0), |word| word.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    coho_bench::null::serve_after(Duration::from_millis(wait), listener).await?;
    Ok(())
}
