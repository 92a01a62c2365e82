//! Tasks that must not outlive their owner.

use std::future::Future;

use tokio::task::AbortHandle;

/// A task that is aborted when this is dropped, so that a process that stops can close its files.
#[derive(Debug)]
pub struct Background(AbortHandle);

impl Background {
    /// Starts `task` on the current runtime.
    pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task).abort_handle())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_ends_with_its_owner() {
        let (alive, ended) = tokio::sync::oneshot::channel::<()>();
        let task = Background::spawn(async move {
            let _alive = alive;
            std::future::pending::<()>().await;
        });
        drop(task);
        assert!(ended.await.is_err(), "the task was dropped");
    }
}
