//! The mail server of this shop: a directory. Emails are written to it atomically.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::mails::Mail;

/// The directory of sent emails.
#[derive(Debug)]
pub(crate) struct Outbox {
    dir: PathBuf,
    /// How long sending one email takes, to simulate a mail server, which is slower than a
    /// directory.
    pub(crate) send_time: Duration,
}

/// When an email was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Just now.
    Now,
    /// In an earlier attempt, which was killed before it could record that.
    Earlier,
}

impl Outbox {
    /// Opens the directory; creates it if necessary.
    pub(crate) fn open(dir: &Path, send_time: Duration) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), send_time })
    }

    /// Sends one email. This is idempotent: the order's number identifies the email.
    pub(crate) fn send(&self, mail: &Mail) -> io::Result<Sent> {
        let path = self.dir.join(format!("order-{:06}.eml", mail.order));
        if path.try_exists()? {
            return Ok(Sent::Earlier);
        }
        // Overwrites the draft that a killed process may have left behind.
        let draft = path.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(render(mail).as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        self.sync()?;
        Ok(Sent::Now)
    }

    /// Syncs the directory itself, so that a power failure does not undo the renaming.
    fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.dir)?.sync_all() } else { Ok(()) }
    }
}

fn render(mail: &Mail) -> String {
    let Mail { order, customer, item, quantity } = mail;
    format!(
        "From: The Shop <orders@shop.example>\n\
         To: {customer}\n\
         Subject: Your order {order}\n\
         Message-ID: <order-{order}@shop.example>\n\
         Content-Type: text/plain; charset=utf-8\n\
         \n\
         Dear {customer},\n\
         \n\
         thank you for your order: {quantity} x {item}.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_sent_once_and_leaves_no_draft() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let outbox =
            Outbox::open(dir.path(), Duration::ZERO).expect("the directory can be created");
        let (customer, item) = ("Ada".to_owned(), "tea".to_owned());
        let mail = Mail { order: 7, customer, item, quantity: 2 };
        fs::write(dir.path().join("order-000007.draft"), "From: Th")
            .expect("the draft can be written");

        assert_eq!(outbox.send(&mail).expect("the email can be written"), Sent::Now);
        assert_eq!(outbox.send(&mail).expect("the email can be read"), Sent::Earlier);
        let names: Vec<_> = fs::read_dir(dir.path())
            .expect("the directory exists")
            .map(|entry| entry.expect("the entry can be read").file_name())
            .collect();
        assert_eq!(names, ["order-000007.eml"]);
        let text =
            fs::read_to_string(dir.path().join("order-000007.eml")).expect("the email was sent");
        assert!(text.contains("Your order 7") && text.contains("2 x tea"), "{text}");
    }
}
