//! The audit of a stopped cluster, and whether it agrees with the verification of the running one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cairn_cli::admin::{AdminClient, VerifyReport};
use cairn_recovery::audit::AuditReport;

use crate::all_in_one::path_text;
use crate::{AllInOne, ProcessCluster, eventually};

/// How long a cluster may take to become whole and to reclaim deleted content.
const LIMIT: Duration = Duration::from_mins(3);

/// `cairn cluster audit` on the directories of stopped services. Its exit code must agree with its report.
pub fn audit(metadata: &[PathBuf], disks: &[PathBuf], scratch: &Path) -> AuditReport {
    let mut command = Command::new(crate::cairn());
    command.args(["cluster", "audit", "--json", "--scratch", path_text(scratch), "--metadata"]).args(metadata);
    let output = command.arg("--disk").args(disks).output().expect("the cairn binary runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: AuditReport = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(output.status.success(), report.is_healthy(), "{said}");
    assert!(report.verified);
    report
}

/// Panics unless both report the same about every object, every extent, and every disk that both looked at.
pub fn assert_agree(verified: &VerifyReport, audited: &AuditReport, when: &str) {
    let both = format!("{when}:\nverified {verified:#?}\naudited {audited:#?}");
    assert_eq!(verified.whole, audited.whole, "{both}");
    assert_eq!(verified.at_risk, audited.at_risk, "{both}");
    assert_eq!(verified.lost, audited.lost, "{both}");
    assert_eq!(verified.listed, audited.listed, "{both}");
    assert_eq!((verified.extents, verified.extents_at_risk), (audited.extents, audited.extents_at_risk), "{both}");
    for disk in verified.disks.iter().filter(|disk| disk.error.is_none()) {
        let twin = audited.disks.iter().find(|twin| twin.number == Some(disk.number)).expect("every disk is audited");
        // A shard that waits for repair is bad, but is where metadata has it.
        assert_eq!((disk.good, disk.missing), (twin.good + twin.bad, twin.missing), "disk {}, {both}", disk.number);
    }
}

/// Waits until everything is whole and nothing waits to be reclaimed, and returns the verification.
pub async fn settled(mut admin: AdminClient, when: &str) -> VerifyReport {
    eventually(&format!("everything is whole {when}"), LIMIT, async || {
        let status = admin.cluster().await.map_err(|e| e.to_string())?;
        let report = admin.verify(|_| {}).await.map_err(|e| e.to_string())?;
        let unknown: u64 = report.disks.iter().map(|disk| disk.unknown).sum();
        if report.is_healthy() && status.reclaim_entries == 0 && unknown == 0 {
            return Ok(report);
        }
        let repair = admin.repair().await.map_err(|e| e.to_string())?;
        Err(format!("{report:?}, {repair:?}, {status:?}"))
    })
    .await
}

/// Panics unless an audit of a settled cluster finds nothing at risk, no unowned shard, and only as much space in use as
/// the coding needs (I10, I29).
fn assert_sound(verified: &VerifyReport, audited: &AuditReport, when: &str) {
    assert_agree(verified, audited, when);
    assert!(audited.is_healthy() && verified.is_healthy(), "{when}: {audited:#?}");
    assert_eq!((audited.extents_unbooked, audited.extents_stray), (0, 0), "{when}: {audited:#?}");
    assert_eq!(audited.unowned.total.shards, 0, "{when}: unowned: {:?}", audited.unowned);
    assert!(audited.space.is_within && audited.space.model_bytes > 0, "{when}: {:?}", audited.space);
}

impl AllInOne {
    /// The disk directories that exist.
    pub fn disks_present(&self) -> Vec<PathBuf> {
        (1..=self.tuning().disks).map(|number| self.disk(number)).filter(|path| path.exists()).collect()
    }

    /// Audits the stopped server's directories.
    pub fn audit(&self) -> AuditReport {
        audit(&[self.data().join("metadata")], &self.disks_present(), self.workdir().path())
    }

    /// Waits until everything is whole, stops the server, and demands that the audit agrees. Leaves the server stopped.
    pub async fn stop_sound(&mut self, when: &str) {
        // Ends the gateway's session, so that the shards of its failed writes are garbage.
        self.restart().await;
        let verified = settled(self.admin(), when).await;
        self.stop().await;
        assert_sound(&verified, &self.audit(), when);
    }
}

impl ProcessCluster {
    /// Audits the stopped cluster's directories.
    pub fn audit(&self) -> AuditReport {
        let metadata: Vec<PathBuf> =
            (0..self.metadata_count()).map(|index| self.metadata_dir(index).join("metadata")).collect();
        audit(&metadata, &self.disk_dirs(), self.workdir().path())
    }

    /// Waits until everything is whole, stops the cluster, and demands that the audit agrees. Leaves the cluster stopped.
    pub async fn stop_sound(&mut self, when: &str) {
        self.restart_gateways().await;
        let verified = settled(self.admin(), when).await;
        self.stop_metadata_first().await;
        assert_sound(&verified, &self.audit(), when);
    }
}
