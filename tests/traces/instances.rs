//! Two instances of the authority on one database: each exchange is one serializable transaction.

use crate::script::{ONE, Script};
use landfast_authority::storage::admin::{self, Act};
use landfast_authority::storage::exchange::{Incoming, exchange};
use landfast_authority::storage::sqlite::{Load, Sqlite, connect, transaction};
use landfast_authority::storage::{ExchangeError, Storage};
use landfast_protocol::Text;
use landfast_protocol::operation::Outcome;
use landfast_protocol::response::{Disposition, Response};
use landfast_tests::simulation::agent::Fate;
use landfast_tests::simulation::deeds::What;
use std::future::Future;
use std::path::PathBuf;
use tempfile::TempDir;

/// A database on a disk that sells what the script's issuer sells.
struct Database {
    script: Script,
    path: PathBuf,
    _directory: TempDir,
}

impl Database {
    async fn selling(script: Script) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("authority.db");
        std::fs::write(&path, b"").unwrap();
        let mut connection = connect(&path).await.unwrap();
        let act = Act { actor: Text::lossy("operator"), now: script.world.time() };
        let stock = script.world.stock(0).unwrap();
        transaction(&mut connection, async |ledger| {
            admin::add_organization(ledger, &act, Text::lossy("customer")).await
        })
        .await
        .unwrap();
        for (product, license) in stock {
            transaction(&mut connection, async |ledger| admin::add_product(ledger, &act, product).await)
                .await
                .unwrap();
            transaction(&mut connection, async |ledger| admin::add_license(ledger, &act, license).await)
                .await
                .unwrap();
        }
        Self { script, path, _directory: directory }
    }

    async fn instance(&self) -> Sqlite {
        Sqlite::open(&self.path, self.script.world.signer(0), Load::default()).await.unwrap()
    }

    /// An instance has begun its transaction for `first` when another one is given `second`.
    async fn race(&self, first: usize, second: usize) -> (Response, Response) {
        let (bytes, now) = (self.script.world.request_bytes(0, first), self.script.world.time());
        let signer = self.script.world.signer(0);
        let mut connection = connect(&self.path).await.unwrap();
        let other = self.instance().await;
        let (begun, begins) = tokio::sync::oneshot::channel();
        let slow = transaction(&mut connection, async |ledger| {
            let incoming = Incoming::open(bytes, signer.issuer())?;
            begun.send(()).unwrap();
            // The other one has every chance to read and to commit in between.
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            exchange(ledger, &signer, incoming, now, [1; 8]).await
        });
        let quick = async {
            begins.await.unwrap();
            other.exchange(self.script.world.request_bytes(0, second), now, [2; 8]).await
        };
        let (slow, quick): (Result<_, ExchangeError>, _) = tokio::join!(slow, quick);
        let open = |bytes: Vec<u8>| self.script.world.settings(0).trust.open::<Response>(&bytes).unwrap();
        other.close().await.unwrap();
        (open(slow.unwrap()), open(quick.unwrap()))
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn outcomes(response: &Response) -> Vec<&'static str> {
    response.results.iter().map(|result| result.outcome.name()).collect()
}

#[test]
fn a24_two_instances_do_not_give_one_license_out_twice() {
    run(async {
        let mut script = Script::plain();
        let (first, second) = (script.activate(0), script.activate(1));
        let database = Database::selling(script).await;
        let (slow, quick) = database.race(first, second).await;
        assert_eq!((outcomes(&slow), outcomes(&quick)), (vec!["done"], vec!["denied"]));
    });
}

#[test]
fn a24_two_instances_keep_the_order_of_one_device() {
    run(async {
        let mut script = Script::plain();
        let (first, back) = (script.activate(0), script.give_back(0));
        let database = Database::selling(script).await;
        let (slow, quick) = database.race(back, first).await;
        assert_eq!(outcomes(&slow), ["done", "done"]);
        assert_eq!(quick.answers.unwrap().disposition, Disposition::Superseded);
        assert_eq!(outcomes(&quick), ["done"], "recorded by the other instance");
    });
}

#[test]
fn a24_many_devices_at_two_instances_get_what_there_is() {
    run(async {
        let mut script = Script::selling(6, &[ONE; 8]);
        let requests: Vec<Vec<usize>> = (0..8)
            .map(|license| {
                (0..6)
                    .map(|device| script.ask(device, What::Activate(license, None), Fate::Whole).unwrap())
                    .collect()
            })
            .collect();
        let database = Database::selling(script).await;
        let (one, two) = (database.instance().await, database.instance().await);
        let (world, trust) = (&database.script.world, database.script.world.settings(0).trust);
        for of_license in &requests {
            let answers = of_license.iter().enumerate().map(|(at, request)| {
                let store = if at % 2 == 0 { &one } else { &two };
                store.exchange(world.request_bytes(0, *request), world.time(), [3; 8])
            });
            let answers = futures_util::future::join_all(answers).await;
            let mut done = 0;
            for answer in answers {
                let response: Response = trust.open(&answer.unwrap()).unwrap();
                let last = &response.results.last().unwrap().outcome;
                done += usize::from(*last == Outcome::Done);
            }
            assert_eq!(done, 1, "one unit, one device");
        }
        // The same request at the other instance gets the same answer.
        for request in requests.iter().flatten() {
            let bytes = world.request_bytes(0, *request);
            let at_one = one.exchange(bytes.clone(), world.time(), [4; 8]).await.unwrap();
            assert_eq!(at_one, two.exchange(bytes, world.time(), [5; 8]).await.unwrap());
        }
        one.close().await.unwrap();
        two.close().await.unwrap();
    });
}
