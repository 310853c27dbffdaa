//! `ccpor certs`: the registry's private authority on the command line. Keys are written into directories, never to the screen.

mod renewing;
mod judging;
mod issuing;

use std::path::PathBuf;
use std::time::Duration;

use ccpor_certs::authority::{AuthorityError, InvitationTerms, RootKeyError, Verdict};
use ccpor_certs::enrolment::{self, EnrolError};
use ccpor_certs::folder::IdentityDirError;
use ccpor_certs::{Authority, Clock, Identity, IdentityDir};
use ccpor_daemon::exit::Exit;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::contexts::valid_endpoint;
use crate::failure::Failure;
use crate::screen::Screen;
use crate::table::Table;

/// What to do with certificates.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Make a new private authority in a new directory.
    #[command(after_help = "Examples:\n  ccpor certs init /var/lib/ccpor-ca\n  ccpor certs init ./ca --json")]
    Init {
        /// The new directory.
        directory: PathBuf,
    },
    /// Invite a court's node (or an agency's client) to enrol: prints the one-time invitation.
    #[command(
        after_help = "Examples:\n  ccpor certs invite --authority /var/lib/ccpor-ca court/alameda/node/1 \
                      --hub hub.example:4433 --enrolment hub.example:4434\n  \
                      ccpor certs invite --authority ./ca tribal/yurok/node/1 --hub 10.0.0.5:4433 --enrolment 10.0.0.5:4434 \
                      --hours 4"
    )]
    Invite(Invite),
    /// Make keys and certificates for an identity on this machine, without an invitation.
    #[command(
        after_help = "Examples:\n  ccpor certs issue --authority ./ca lea/alameda-so --ori CA0010000 --out ./alameda-so\n  \
                      ccpor certs issue --authority ./ca hub/1 --name hub.example --name 10.0.0.5 --out /var/lib/ccpor-hub/identity"
    )]
    Issue(Issue),
    /// Redeem an invitation: makes the keys here and fetches the certificates.
    #[command(
        after_help = "Examples:\n  ccpor certs enroll ccpor-invite-1.eyJ... --out ~/ccpor-id\n  \
                      pass show ccpor-invitation | ccpor certs enroll - --out ~/ccpor-id"
    )]
    Enroll {
        /// The invitation, or - to read it from stdin.
        invitation: String,
        /// The new identity directory.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// List every certificate that the authority issued, oldest first.
    #[command(
        after_help = "Examples:\n  ccpor certs list --authority /var/lib/ccpor-ca\n  \
                      ccpor certs list --authority ./ca --json | jq -r '.[].identity'"
    )]
    List {
        /// Directory of the authority.
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
    },
    /// Show an identity directory: whose it is, how long it is good, and what to put right.
    #[command(
        after_help = "Examples:\n  ccpor certs show /var/lib/ccpor-node/identity\n  ccpor certs show ~/ccpor-id --json\n\n\
                      Ends with 6 when there is something to put right."
    )]
    Show {
        /// The identity directory.
        directory: PathBuf,
    },
    /// Renew the certificate in an identity directory now. Nodes and hubs do it by themselves.
    #[command(
        after_help = "Examples:\n  ccpor certs renew ~/ccpor-id\n  ccpor certs renew ./alameda-so --at hub.example:4434\n  \
                      ccpor certs renew /var/lib/ccpor-hub/identity --authority /var/lib/ccpor-hub/authority"
    )]
    Renew(renewing::Renew),
    /// Let a machine renew whose certificate ended more than 30 and up to 90 days ago.
    #[command(
        after_help = "Examples:\n  ccpor certs approve --authority /var/lib/ccpor-hub/authority court/alameda/node/1\n  \
                      ccpor certs approve --authority ./authority tribal/yurok/node/1"
    )]
    Approve(judging::Whom),
    /// Refuse every certificate that an identity has, for ever; a new invitation brings it back.
    #[command(
        after_help = "Examples:\n  ccpor certs revoke --authority /var/lib/ccpor-hub/authority court/alameda/node/1 --reason stolen\n  \
                      ccpor certs revoke --authority ./authority tribal/yurok/node/1 --reason copied\n\n\
                      Ends with 9 when a connected machine has not taken the list within 10 seconds."
    )]
    Revoke(judging::Judge),
    /// Refuse every certificate of an identity until it is resumed.
    #[command(
        after_help = "Examples:\n  ccpor certs suspend --authority /var/lib/ccpor-hub/authority lea/alameda-so --reason 'laptop missing'\n  \
                      ccpor certs suspend --authority ./authority system/alameda-cms --reason 'not reachable'"
    )]
    Suspend(judging::Judge),
    /// End a suspension.
    #[command(
        after_help = "Examples:\n  ccpor certs resume --authority /var/lib/ccpor-hub/authority lea/alameda-so\n  \
                      ccpor certs resume --authority ./authority system/alameda-cms"
    )]
    Resume(judging::Judge),
    /// Let a stolen record-signing key count only up to a place in its ledger: records behind it are refused, and set aside where they are.
    #[command(
        after_help = "Examples:\n  ccpor certs end-key --authority /var/lib/ccpor-hub/authority court/alameda/node/1 \
                      --key 3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29 --from 2.118 --reason stolen\n  \
                      ccpor certs end-key --authority ./authority tribal/yurok/node/1 \
                      --key 3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29 --from 2.118 --reason copied"
    )]
    EndKey(judging::EndKey),
    /// Show who is revoked or suspended, which machines have the newest list, and who waits for an approval.
    #[command(
        after_help = "Examples:\n  ccpor certs revoked --authority /var/lib/ccpor-hub/authority\n  \
                      ccpor certs revoked --authority ./ca --json"
    )]
    Revoked(judging::Directory),
    /// Write an X.509 certificate revocation list for programs of third parties.
    #[command(
        after_help = "Examples:\n  ccpor certs export-crl --authority /var/lib/ccpor-hub/authority --out ./ccpor.crl\n  \
                      ccpor certs export-crl --authority ./authority --out /srv/www/ccpor.crl"
    )]
    ExportCrl(renewing::Export),
    /// The root, whose key belongs on no network.
    #[command(subcommand)]
    Root(issuing::Root),
    /// The issuing certificate: make one under a root, and replace it by the next in three steps.
    #[command(subcommand)]
    Issuing(issuing::Issuing),
}

/// Whom to invite.
#[derive(Args, Debug)]
pub(crate) struct Invite {
    /// The identity to invite: court/SLUG/node/N, tribal/SLUG/node/N, lea/SLUG, system/SLUG, operator/SLUG.
    #[arg(value_name = "IDENTITY")]
    whom: Identity,
    /// Directory of the authority.
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
    /// Where the hub takes replication.
    #[arg(long, value_name = "HOST:PORT", value_parser = valid_endpoint)]
    hub: String,
    /// Where the hub enrols.
    #[arg(long, value_name = "HOST:PORT", value_parser = valid_endpoint)]
    enrolment: String,
    /// Which hub enrols.
    #[arg(long, value_name = "IDENTITY", default_value = "hub/1")]
    hub_identity: Identity,
    /// How many hours the invitation may be used, up to 720.
    #[arg(long, value_name = "N", default_value_t = 72, value_parser = clap::value_parser!(u64).range(1..=720))]
    hours: u64,
    /// DNS name or IP address under which browsers reach the machine; may be repeated.
    #[arg(long, value_name = "DNS|IP")]
    name: Vec<String>,
    /// Agency (ORI) that the identity may speak for; may be repeated.
    #[arg(id = "ori", long = "ori", value_name = "ORI")]
    oris: Vec<String>,
}

/// Whom to issue for.
#[derive(Args, Debug)]
pub(crate) struct Issue {
    /// The identity: court/SLUG/node/N, tribal/SLUG/node/N, hub/N, lea/SLUG, system/SLUG, operator/SLUG.
    #[arg(value_name = "IDENTITY")]
    whom: Identity,
    /// Directory of the authority.
    #[arg(long, value_name = "DIR")]
    authority: PathBuf,
    /// The new identity directory.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// DNS name or IP address under which browsers reach the machine; may be repeated.
    #[arg(long, value_name = "DNS|IP")]
    name: Vec<String>,
    /// Agency (ORI) that the identity may speak for; may be repeated.
    #[arg(id = "ori", long = "ori", value_name = "ORI")]
    oris: Vec<String>,
}

pub(crate) async fn run(command: Command, screen: &Screen) -> Result<Exit, Failure> {
    match command {
        Command::Init { directory } => init(&directory, screen),
        Command::Invite(invite) => run_invite(invite, screen),
        Command::Issue(issue) => run_issue(&issue, screen),
        Command::Enroll { invitation, out } => run_enroll(&invitation, &out, screen).await,
        Command::List { authority } => list(&authority, screen),
        Command::Show { directory } => show(&directory, screen),
        Command::Renew(renew) => renewing::renew(&renew, screen).await,
        Command::Approve(whom) => judging::approve(&whom, screen),
        Command::Revoke(judge) => judging::judge(&judge, Verdict::Revoke, screen).await,
        Command::Suspend(judge) => judging::judge(&judge, Verdict::Suspend, screen).await,
        Command::Resume(judge) => judging::judge(&judge, Verdict::Resume, screen).await,
        Command::EndKey(end) => judging::end_key(&end, screen).await,
        Command::Revoked(directory) => judging::revoked(&directory, screen),
        Command::ExportCrl(export) => renewing::export_crl(&export, screen),
        Command::Root(root) => issuing::root(root, screen),
        Command::Issuing(step) => issuing::issuing(step, screen),
    }
}

fn init(directory: &std::path::Path, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::init(directory)?;
    if screen.json {
        screen.document(&json!({ "directory": directory, "fingerprint": authority.fingerprint() }))?;
    } else {
        screen.text(&format!(
            "AUTHORITY    {}\nFINGERPRINT  {}\n",
            directory.display(),
            authority.fingerprint()
        ))?;
        screen.remark("Move root.key to a safe place that is not on a network; only a new issuing certificate needs it.");
    }
    Ok(Exit::Done)
}

fn run_invite(invite: Invite, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::open(&invite.authority)?;
    let invitation = authority.invite_on(InvitationTerms {
        identity: invite.whom,
        enrolment_address: invite.enrolment,
        hub_address: invite.hub,
        hub: invite.hub_identity,
        names: invite.name,
        oris: invite.oris,
        ttl: Duration::from_secs(invite.hours * 3600),
    })?;
    let text = invitation.text();
    if screen.json {
        screen.document(&json!({
            "identity": invitation.identity, "id": invitation.id(), "expires": invitation.expires, "invitation": &*text,
        }))?;
    } else {
        screen.text(&format!("{}\n", &*text))?;
        screen.remark(&format!(
            "Invitation {} for {}, good once, until {}. It is as good as a key: hand it over in person or by a sealed channel.",
            invitation.id(),
            invitation.identity,
            invitation.expires
        ));
    }
    Ok(Exit::Done)
}

fn run_issue(issue: &Issue, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::open(&issue.authority)?;
    let made = authority.issue(&issue.whom, &issue.name, &issue.oris, &issue.out)?;
    shown(&made, screen)?;
    Ok(Exit::Done)
}

async fn run_enroll(invitation: &str, out: &std::path::Path, screen: &Screen) -> Result<Exit, Failure> {
    let text = if invitation == "-" {
        std::io::read_to_string(std::io::stdin().lock()).map_err(|error| {
            Failure::own(
                Exit::Failed,
                format!("reading stdin failed: {error}"),
                "Pipe the invitation in.",
            )
        })?
    } else {
        invitation.to_owned()
    };
    let made = enrolment::enroll(text.trim(), out).await?;
    shown(&made, screen)?;
    Ok(Exit::Done)
}

fn list(directory: &std::path::Path, screen: &Screen) -> Result<Exit, Failure> {
    let authority = Authority::open(directory)?;
    let issued = authority.list()?;
    if screen.json {
        screen.document(&issued)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["IDENTITY", "PURPOSE", "ISSUED", "EXPIRES", "SERIAL", "REASON"]);
    for certificate in &issued {
        let purpose = serde_json::to_value(certificate.purpose).ok();
        table.row([
            certificate.identity.path(),
            purpose
                .as_ref()
                .and_then(|word| word.as_str())
                .unwrap_or_default()
                .to_owned(),
            certificate.issued.to_string(),
            certificate.not_after.to_string(),
            certificate.serial.clone(),
            certificate.reason.clone(),
        ]);
    }
    if table.is_empty() {
        screen.remark("This authority has issued nothing yet.");
    } else {
        screen.text(&table.text())?;
    }
    for issuing in authority.issuing()? {
        screen.remark(&issuing::in_words(&issuing));
    }
    if let Some(list) = authority.revocations()? {
        screen.remark(&judging::who_has(&authority, list.list().counter)?.words());
    }
    Ok(Exit::Done)
}

fn show(directory: &std::path::Path, screen: &Screen) -> Result<Exit, Failure> {
    let identity = IdentityDir::open(directory)?;
    shown(&identity, screen)?;
    Ok(if identity.warnings().is_empty() {
        Exit::Done
    } else {
        Exit::Degraded
    })
}

/// The facts of an identity directory; public ones only.
fn shown(identity: &IdentityDir, screen: &Screen) -> Result<(), Failure> {
    let now = Clock::machine().now();
    let (peer, facts) = (identity.peer(), identity.facts());
    let record_key = identity
        .record_public_key()
        .map(|key| ccpor_ledger::Hash(key).to_string());
    if screen.json {
        return screen.document(&json!({
            "directory": identity.path(),
            "identity": peer.identity,
            "oris": peer.oris,
            "serial": peer.serial,
            "fingerprint": peer.fingerprint,
            "not_after": peer.not_after,
            "days_left": identity.days_left(now),
            "record_key": record_key,
            "record_days_left": identity.record_days_left(now),
            "hub": facts.hub,
            "hub_address": facts.hub_address,
            "warnings": identity.warnings(),
        }));
    }
    let mut text = format!(
        "IDENTITY     {}\nDIRECTORY    {}\n",
        peer.identity,
        identity.path().display()
    );
    text.push_str(&format!(
        "TLS          until {} ({} days left), serial {}\n",
        peer.not_after,
        identity.days_left(now),
        peer.serial
    ));
    if let (Some(key), Some(days)) = (record_key, identity.record_days_left(now)) {
        text.push_str(&format!("RECORD KEY   {key} ({days} days left)\n"));
    }
    if !peer.oris.is_empty() {
        text.push_str(&format!("AGENCIES     {}\n", peer.oris.join(", ")));
    }
    if let Some(address) = &facts.hub_address {
        let hub = facts.hub.as_ref().map(Identity::path).unwrap_or_default();
        text.push_str(&format!("HUB          {hub} at {address}\n"));
    }
    for warning in identity.warnings() {
        text.push_str(&format!("WARN         {warning}\n"));
    }
    screen.text(&text)
}

impl From<AuthorityError> for Failure {
    fn from(error: AuthorityError) -> Self {
        let exit = match &error {
            AuthorityError::Exists(_) => Exit::Conflict,
            AuthorityError::Missing(_) => Exit::NotFound,
            AuthorityError::Damaged { .. } => Exit::Integrity,
            AuthorityError::Files { cause, .. } if cause.kind() == std::io::ErrorKind::PermissionDenied => {
                Exit::Denied
            }
            AuthorityError::Address(_)
            | AuthorityError::NotAHub(_)
            | AuthorityError::InvitationLife
            | AuthorityError::Profile(_)
            | AuthorityError::RootKey(RootKeyError::ShortPassphrase)
            | AuthorityError::Identity(_) => Exit::Usage,
            AuthorityError::RootKey(RootKeyError::Missing(_)) => Exit::NotFound,
            AuthorityError::RootKey(_) => Exit::Denied,
            _ => Exit::Failed,
        };
        // These errors say themselves what to do.
        Self::own(exit, error.to_string(), "")
    }
}

impl From<EnrolError> for Failure {
    fn from(error: EnrolError) -> Self {
        let exit = match &error {
            EnrolError::Invitation(_) | EnrolError::NoHub(_) => Exit::Usage,
            EnrolError::AlreadyEnrolled(_) => Exit::Conflict,
            EnrolError::Untrusted { .. } | EnrolError::Refused(_) => Exit::Denied,
            EnrolError::Unreachable { .. } | EnrolError::TimedOut(_) | EnrolError::AnswerLost(_) => {
                Exit::Unreachable
            }
            _ => Exit::Failed,
        };
        Self::own(exit, error.to_string(), "")
    }
}

impl From<IdentityDirError> for Failure {
    fn from(error: IdentityDirError) -> Self {
        let exit = match &error {
            IdentityDirError::NoDirectory(_) | IdentityDirError::Missing(_) => Exit::NotFound,
            IdentityDirError::Unreadable { .. }
            | IdentityDirError::Expired { .. }
            | IdentityDirError::NotYetValid { .. } => Exit::Denied,
            IdentityDirError::Damaged { .. } => Exit::Integrity,
            _ => Exit::Conflict,
        };
        Self::own(exit, error.to_string(), "")
    }
}
