//! What is wrong with audit trails, for people and programs, and how the command ends because of it.

use ccpor_audit::ArchiveFailed;
use ccpor_daemon::exit::Exit;
use serde_json::json;

use super::place::Unsound;
use crate::failure::Failure;

/// What is wrong with trails, for programs.
pub(super) fn document(wrong: &Unsound) -> serde_json::Value {
    match wrong {
        Unsound::Ledger(fault) => json!({
            "file": fault.file.display().to_string(),
            "offset": fault.offset,
            "trail": fault.origin.as_ref().map(ToString::to_string),
            "epoch": fault.position.map(|position| position.epoch),
            "seq": fault.position.map(|position| position.seq),
            "what": fault.what.to_string(),
        }),
        Unsound::Trail(failed) => json!({ "what": failed.to_string() }),
    }
}

/// What is wrong with trails, and how the program ends because of it.
pub(super) fn unsound(wrong: &Unsound) -> Failure {
    match wrong {
        Unsound::Ledger(fault) => Failure::own(
            Exit::Integrity,
            format!("the audit trail was changed or is damaged: {fault}"),
            "Keep the directory as it is and copy it away; then follow the runbook \"the audit trail\".",
        ),
        Unsound::Trail(failed) => failure(failed),
    }
}

/// What keeps a trail from being read, and how the program ends because of it.
pub(super) fn failure(failed: &ArchiveFailed) -> Failure {
    let (exit, advice) = match failed {
        ArchiveFailed::Directory { .. } => (Exit::NotFound, "Check the path and that this user may read it."),
        ArchiveFailed::Entry(..) | ArchiveFailed::KeyFile { .. } => (
            Exit::Integrity,
            "Keep the directory as it is and copy it away; then follow the runbook \"the audit trail\".",
        ),
        ArchiveFailed::NotRecorded(_) => (
            Exit::Denied,
            "Run the command as the user whose files these are, or on a copy of the directory that you may write.",
        ),
        ArchiveFailed::Scan(_) | ArchiveFailed::Keys(_) => {
            (Exit::Failed, "Check that this user may read the files.")
        }
    };
    Failure::own(exit, failed.to_string(), advice)
}
