//! The plain client against the server that does nothing: every row arrives, over several connections.

use std::error::Error;
use std::fs::File;

use coho_bench::accounts::Changed;
use tokio::net::TcpListener;

#[tokio::test]
async fn every_row_is_sent() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("accounts.csv");
    coho_bench::accounts::write(500, Changed::None, &mut File::create(&file)?)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(coho_bench::null::serve(listener));
    assert_eq!(coho_bench::plain::deliver(&url, &file, 8).await?, 500);
    Ok(())
}
