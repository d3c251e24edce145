//! Which servers of databases are trusted: those whose certificates this machine's authorities have signed.

use rustls::pki_types::CertificateDer;

/// The certificates of the machine's authorities, or those in the file that `SSL_CERT_FILE` names.
pub fn certificates() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// Whether no connection came about because TLS did not.
pub fn is_refusal(source: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(source);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            cause = error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
            continue;
        }
        if error.is::<rustls::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}
