//! The mail server of this shop: a folder. A mail is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::mail_jobs::MailJob;

/// Where mails go.
#[derive(Debug)]
pub(crate) struct Outbox {
    folder: PathBuf,
    /// How long one mail takes: a mail server is not as fast as a folder.
    pub(crate) takes: Duration,
}

/// How a mail got out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Just now.
    Now,
    /// In an earlier attempt, which did not live to say so.
    Earlier,
}

impl Outbox {
    /// Uses `folder`; makes it if it is not there.
    pub(crate) fn open(folder: &Path, takes: Duration) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), takes })
    }

    /// Sends one mail. The order's number is the key: however often this is called, there is one.
    pub(crate) fn send(&self, job: &MailJob) -> io::Result<Sent> {
        let mail = self.folder.join(format!("order-{:06}.eml", job.order));
        if mail.try_exists()? {
            return Ok(Sent::Earlier);
        }
        // A half-written draft of a process that was killed is written anew.
        let draft = mail.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(letter(job).as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &mail)?;
        self.sync()?;
        Ok(Sent::Now)
    }

    /// Has the folder itself written to disk, so that a power cut does not undo the renaming.
    fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }
}

fn letter(job: &MailJob) -> String {
    let MailJob { order, customer, item, quantity, .. } = job;
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
    fn a_mail_is_sent_once_and_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let outbox = Outbox::open(folder.path(), Duration::ZERO).expect("it is there");
        let (customer, item) = ("Ada".to_owned(), "tea".to_owned());
        let job = MailJob { order: 7, customer, item, quantity: 2, attempt: 1 };
        fs::write(folder.path().join("order-000007.draft"), "From: Th").expect("it is there");

        assert_eq!(outbox.send(&job).expect("it can be written"), Sent::Now);
        assert_eq!(outbox.send(&job).expect("it can be read"), Sent::Earlier);
        let names: Vec<_> = fs::read_dir(folder.path())
            .expect("it is there")
            .map(|entry| entry.expect("it can be read").file_name())
            .collect();
        assert_eq!(names, ["order-000007.eml"]);
        let mail = fs::read_to_string(folder.path().join("order-000007.eml")).expect("it is there");
        assert!(mail.contains("Your order 7") && mail.contains("2 x tea"), "{mail}");
    }
}
