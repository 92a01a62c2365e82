//! The greeting by which members identify each other.

use std::time::Duration;

use cairn_core::release::Release;
use cairn_protocol::rpc::RpcClient;

use super::member::RunningMember;
use crate::raft::message::{Hello, HelloAnswer, RaftPath, Stopped};
use crate::space::Room;
use crate::state::tables::members;

/// Time for one answer.
const HELLO_LIMIT: Duration = Duration::from_millis(500);

/// Asks one member.
pub(super) async fn hello(rpc: &RpcClient, addr: &str, question: &Hello) -> Result<HelloAnswer, String> {
    let answer = rpc.call::<Hello, HelloAnswer, Stopped>(addr, RaftPath::HELLO, question, HELLO_LIMIT).await;
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(stopped)) => Err(stopped.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

impl RunningMember {
    /// Who this member says that it is.
    pub(super) fn greeting(&self) -> Hello {
        let me = self.admission.me();
        Hello { member: me.member, incarnation: me.incarnation, release: Release::current() }
    }

    /// What this member knows of itself and of the asker.
    pub(super) async fn answer_hello(&self, question: &Hello) -> Result<HelloAnswer, Stopped> {
        let record = self.leader.read(|view| members::record(&view.meta()?)).await.map_err(Stopped::because)?;
        self.admission.meet(question.member, question.incarnation, question.release.newest);
        let me = self.admission.me();
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let acknowledged = metrics.replication.as_ref().and_then(|all| all.get(&question.member).copied().flatten());
        Ok(HelloAnswer {
            member: me.member,
            incarnation: me.incarnation,
            process: me.process,
            cluster: self.machine.map().map(|map| map.cluster),
            is_blank: self.log.is_pristine(),
            enrolled: record.of(question.member),
            acknowledged: acknowledged.map(|id| id.index),
            recoveries: record.recoveries,
            has_room: Some(self.machine.space().room() == Room::Enough),
            release: Release::current(),
        })
    }
}
