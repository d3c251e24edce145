//! One mail over SMTP.

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;

use super::ATTEMPT;
use crate::channel::email::{Email, Security};
use crate::message::Notification;
use crate::request::Posting;

pub(super) async fn send(email: &Email, message: &Notification) -> Posting {
    let mail = match email.mail(message) {
        Ok(mail) => mail,
        Err(error) => return Posting::Never { why: format!("cannot write the e-mail: {error}") },
    };
    let transport = match transport(email) {
        Ok(transport) => transport,
        Err(error) => return Posting::Never { why: told(&error) },
    };
    match tokio::time::timeout(ATTEMPT, transport.send(mail)).await {
        Ok(Ok(_)) => Posting::Done { receipt: None },
        Ok(Err(error)) if error.is_permanent() => Posting::Never { why: told(&error) },
        Ok(Err(error)) => Posting::Later { after: None, why: told(&error) },
        Err(_) => Posting::Later { after: None, why: "no response in time".to_owned() },
    }
}

fn transport(email: &Email) -> Result<AsyncSmtpTransport<Tokio1Executor>, Error> {
    let (tls, port) = match email.security {
        Security::Tls => (Tls::Wrapper(parameters(email)?), 465),
        Security::StartTls => (Tls::Required(parameters(email)?), 587),
        Security::None => (Tls::None, 25),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.host)
        .port(email.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(ATTEMPT));
    if let Some(login) = &email.login {
        let password = login.password.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(login.user.clone(), password));
    }
    Ok(builder.build())
}

fn parameters(email: &Email) -> Result<TlsParameters, Error> {
    let mut builder = TlsParameters::builder(email.host.clone());
    if let Some(pem) = &email.authority {
        builder = builder.add_root_certificate(Certificate::from_pem(pem.as_bytes())?);
    }
    builder.build_rustls()
}

/// What the server said, on one line.
fn told(error: &Error) -> String {
    crate::limit::cut(&coho_core::terminal::escape(&error.to_string()), 200)
}
