//! `null-server`: serves [`coho_bench::null`] on a free port of the loopback interface and prints its address.

use std::io::{self, Write};

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    coho_bench::null::serve(listener).await
}
