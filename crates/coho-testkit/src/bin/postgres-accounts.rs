//! `postgres-accounts ROWS`: a PostgreSQL of its own on the loopback interface, with a table of so many accounts in random order;
//! prints its address, and runs until it is killed.

use std::error::Error;
use std::io::{self, Write};

use coho_testkit::Postgres;

/// The table: the twelve columns of the file of accounts, each a function of the row's number.
const TABLE: &str = "
    CREATE TABLE accounts AS SELECT 'account-' || i AS id, 'Customer ' || i AS name,
      (ARRAY['free', 'team', 'business', 'enterprise'])[1 + i % 4] AS plan, (i * 7919 % 1000)::int AS seats,
      ((i * 104729 % 1000000) / 100.0)::numeric(12, 2) AS mrr, (ARRAY['DE', 'FR', 'GB', 'JP', 'NZ', 'US'])[1 + i % 6] AS country,
      (ARRAY['education', 'finance', 'health', 'retail', 'software'])[1 + i % 5] AS industry,
      'owner' || i % 500 || '@example.com' AS owner_email, i % 2 = 0 AS active, i % 3 = 0 AS trial,
      date '2020-01-01' + (i % 2000)::int AS signed_up, timestamptz '2024-01-01 00:00:00+00' + i % 50000000 * interval '1 s' AS last_seen
    FROM generate_series(1, ROWS::bigint) numbers (i) ORDER BY md5(i::text)";

fn main() -> Result<(), Box<dyn Error>> {
    let rows: u64 = std::env::args().nth(1).ok_or("usage: postgres-accounts ROWS")?.parse()?;
    let server = Postgres::start()?.ok_or("PostgreSQL's server programs are not installed")?;
    server.psql(&TABLE.replace("ROWS", &rows.to_string()))?;
    server.psql("ANALYZE accounts")?;
    writeln!(io::stdout(), "{}", server.url())?;
    loop {
        std::thread::park();
    }
}
