//! `state.sqlite`: the catalogue, and the lists of models, score versions, learner runs and figures. Any role may open
//! its own [`State`]; each call is one short transaction, and [`State::data_version`] tells when another role made one.

mod row;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

pub use row::{LearnRun, ModelRow, ScoreRow};

use crate::store::day::{check_version, set_durable};
use crate::store::{blob, state_path};
use crate::{Catalogue, Entity, EventsError, Fields};

const SCHEMA: &str = include_str!("store/state.sql");
const VERSION: i64 = 1;

/// A connection to `state.sqlite`.
#[derive(Debug)]
pub struct State {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl State {
    /// Opens the state of the store in `dir`, and makes it where there is none.
    ///
    /// # Errors
    /// Those of the disk; [`EventsError::Schema`] for a file of another version.
    pub fn open(dir: &Path) -> Result<State, EventsError> {
        std::fs::create_dir_all(dir).map_err(EventsError::io(dir))?;
        let path = state_path(dir);
        let mut connection = Connection::open(&path).map_err(EventsError::sqlite(&path))?;
        prepare(&mut connection).map_err(EventsError::sqlite(&path))?;
        check_version(&connection, &path, VERSION)?;
        Ok(State {
            path,
            connection: Mutex::new(connection),
        })
    }

    /// Adds items, or replaces the attributes that they name; all or none.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn upsert_items(&self, items: &[Entity]) -> Result<(), EventsError> {
        self.upsert("items", items)
    }

    /// Adds people, or replaces the attributes that they name; all or none.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn upsert_users(&self, users: &[Entity]) -> Result<(), EventsError> {
        self.upsert("users", users)
    }

    /// All items and people.
    ///
    /// # Errors
    /// Those of the disk; [`EventsError::Record`] for one that cannot be read.
    pub fn load_catalogue(&self) -> Result<Catalogue, EventsError> {
        let mut catalogue = Catalogue::default();
        for (table, add) in [
            ("items", Catalogue::upsert_item as fn(&mut Catalogue, Entity)),
            ("users", Catalogue::upsert_user as fn(&mut Catalogue, Entity)),
        ] {
            let rows = self.list(
                &format!("SELECT id, fields FROM {table} ORDER BY id"),
                [],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )?;
            for (id, json) in rows {
                let fields = self.parse_fields(table, &id, &json)?;
                add(&mut catalogue, Entity { id, fields });
            }
        }
        Ok(catalogue)
    }

    /// Puts a model into the registry; one of the same version is replaced.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn add_model(&self, model: &ModelRow) -> Result<(), EventsError> {
        self.write(|transaction| put_model(transaction, model))
    }

    /// Lists what a learner or an import made, all or none: the model, its run if it has one, and, where `promote`, that it
    /// is to serve from `now_ms` on.
    ///
    /// # Errors
    /// Those of the disk, or a run whose number is not new; then nothing of it is listed.
    pub fn commit_run(
        &self,
        model: &ModelRow,
        run: Option<&LearnRun>,
        promote: bool,
        now_ms: i64,
    ) -> Result<(), EventsError> {
        self.write(|transaction| {
            put_model(transaction, model)?;
            if let Some(run) = run {
                insert_run(transaction, run)?;
            }
            if promote {
                insert_promotion(transaction, &model.version, now_ms)?;
            }
            Ok(())
        })
    }

    /// The registry, in the order of making.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn models(&self) -> Result<Vec<ModelRow>, EventsError> {
        let sql = "SELECT version, path, created_ms, status, verdict FROM models ORDER BY created_ms, rowid";
        self.list(sql, [], |row| {
            Ok(ModelRow {
                version: row.get(0)?,
                path: row.get(1)?,
                created_ms: row.get(2)?,
                status: row.get(3)?,
                verdict: json(row, 4)?,
            })
        })
    }

    /// Version of the model that is to serve.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn serving(&self) -> Result<Option<String>, EventsError> {
        serving(&self.connection()).map_err(EventsError::sqlite(&self.path))
    }

    /// Makes `version` the model that is to serve, in one step; nothing changes where it is already.
    ///
    /// # Errors
    /// [`EventsError::UnknownModel`]; those of the disk.
    pub fn promote(&self, version: &str, now_ms: i64) -> Result<(), EventsError> {
        let known = self.write(|transaction| {
            let known = transaction.execute(
                "UPDATE models SET status = 'promoted' WHERE version = ?1",
                [version],
            )? > 0;
            if known {
                insert_promotion(transaction, version, now_ms)?;
            }
            Ok(known)
        })?;
        if known {
            return Ok(());
        }
        let known = self.models()?.into_iter().map(|model| model.version).collect();
        Err(EventsError::UnknownModel {
            version: version.to_owned(),
            known,
        })
    }

    /// Version of the model that a roll-back would make serve again.
    ///
    /// # Errors
    /// [`EventsError::NothingBefore`]; those of the disk.
    pub fn rollback_target(&self) -> Result<String, EventsError> {
        let before = before(&self.connection()).map_err(EventsError::sqlite(&self.path))?;
        before.map(|(_, before)| before).ok_or(EventsError::NothingBefore)
    }

    /// Makes the model that served before the present one serve again, in one step, and says which that is.
    ///
    /// # Errors
    /// [`EventsError::NothingBefore`]; those of the disk.
    pub fn rollback(&self, now_ms: i64) -> Result<String, EventsError> {
        let before = self.write(|transaction| {
            let Some((number, before)) = before(transaction)? else {
                return Ok(None);
            };
            let sql = "UPDATE promotions SET rolled_back_ms = ?1 WHERE number = ?2";
            transaction.execute(sql, params![now_ms, number])?;
            Ok(Some(before))
        })?;
        before.ok_or(EventsError::NothingBefore)
    }

    /// Sets the score's weights; the answer is their version.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn put_score(&self, weights: &BTreeMap<String, f64>, now_ms: i64) -> Result<i64, EventsError> {
        let weights = serde_json::json!(weights).to_string();
        self.write(|transaction| {
            let sql = "INSERT INTO scores (weights, created_ms) VALUES (?1, ?2)";
            transaction.execute(sql, params![weights, now_ms])?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// The score's newest weights.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn score(&self) -> Result<Option<ScoreRow>, EventsError> {
        Ok(self.scores()?.pop())
    }

    /// All versions of the score's weights, oldest first.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn scores(&self) -> Result<Vec<ScoreRow>, EventsError> {
        self.list(
            "SELECT version, weights, created_ms FROM scores ORDER BY version",
            [],
            |row| {
                Ok(ScoreRow {
                    version: row.get(0)?,
                    weights: json(row, 1)?,
                    created_ms: row.get(2)?,
                })
            },
        )
    }

    /// Adds a finished run of the learner; its number must be new.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn add_learn_run(&self, run: &LearnRun) -> Result<(), EventsError> {
        self.write(|transaction| insert_run(transaction, run))
    }

    /// The learner's runs, in the order of numbers.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn learn_runs(&self) -> Result<Vec<LearnRun>, EventsError> {
        let sql = "SELECT run, from_seq, mark_seq, replay_from, trained, held, model, checkpoint, details
            FROM learn_runs ORDER BY run";
        self.list(sql, [], |row| {
            let count = |column: usize| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(LearnRun {
                run: row.get(0)?,
                from_seq: count(1)?,
                mark_seq: count(2)?,
                replay_from: count(3)?,
                trained: count(4)?,
                held: count(5)?,
                model: row.get(6)?,
                checkpoint: row.get(7)?,
                details: json(row, 8)?,
            })
        })
    }

    /// Puts row `key` of the page's table `table`; one of the same key is replaced.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn put_figure(&self, table: &str, key: i64, row: &serde_json::Value) -> Result<(), EventsError> {
        self.write(|transaction| {
            let sql = "INSERT OR REPLACE INTO figures VALUES (?1, ?2, ?3)";
            transaction
                .execute(sql, params![table, key, row.to_string()])
                .map(drop)
        })
    }

    /// The rows of the page's table `table`, in the order of keys.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn figures(&self, table: &str) -> Result<Vec<serde_json::Value>, EventsError> {
        self.list(
            "SELECT row FROM figures WHERE name = ?1 ORDER BY key",
            [table],
            |row| json(row, 0),
        )
    }

    /// A number that changes when another connection has committed.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn data_version(&self) -> Result<i64, EventsError> {
        self.connection()
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(EventsError::sqlite(&self.path))
    }

    fn upsert(&self, table: &str, entities: &[Entity]) -> Result<(), EventsError> {
        let mut connection = self.connection();
        let failed = || EventsError::sqlite(&self.path);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed())?;
        {
            let sql = format!("SELECT fields FROM {table} WHERE id = ?1");
            let mut known = transaction.prepare(&sql).map_err(failed())?;
            let sql = format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2)");
            let mut put = transaction.prepare(&sql).map_err(failed())?;
            for Entity { id, fields } in entities {
                let before: Option<String> = known
                    .query_row([id], |row| row.get(0))
                    .optional()
                    .map_err(failed())?;
                let mut merged = match before {
                    Some(json) => self.parse_fields(table, id, &json)?,
                    None => Fields::new(),
                };
                merged.extend(fields.clone());
                let json =
                    blob::fields_to_json(&merged).map_err(|problem| self.broken(table, id, problem))?;
                put.execute([id, &json]).map_err(failed())?;
            }
        }
        transaction.commit().map_err(failed())
    }

    fn parse_fields(&self, table: &str, id: &str, json: &str) -> Result<Fields, EventsError> {
        blob::fields_from_json(json).map_err(|problem| self.broken(table, id, problem))
    }

    fn broken(&self, table: &str, id: &str, problem: String) -> EventsError {
        EventsError::Record {
            path: self.path.clone(),
            record: format!("`{id}` of {table}"),
            problem,
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, work: impl FnOnce(&Transaction) -> rusqlite::Result<T>) -> Result<T, EventsError> {
        let mut connection = self.connection();
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(EventsError::sqlite(&self.path))
    }

    fn list<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, EventsError> {
        let connection = self.connection();
        let rows = || -> rusqlite::Result<Vec<T>> {
            connection.prepare(sql)?.query_map(parameters, read)?.collect()
        };
        rows().map_err(EventsError::sqlite(&self.path))
    }
}

/// Makes the tables, once, whoever comes first.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    set_durable(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(SCHEMA)?;
    }
    transaction.commit()
}

fn put_model(transaction: &Transaction, model: &ModelRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO models VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (version) DO UPDATE SET
        path = excluded.path, created_ms = excluded.created_ms, status = excluded.status, verdict = excluded.verdict";
    let ModelRow {
        version,
        path,
        created_ms,
        status,
        verdict,
    } = model;
    let values = params![version, path, created_ms, status, verdict.to_string()];
    transaction.execute(sql, values).map(drop)
}

fn insert_run(transaction: &Transaction, run: &LearnRun) -> rusqlite::Result<()> {
    let counts = [run.from_seq, run.mark_seq, run.replay_from, run.trained, run.held].map(u64::cast_signed);
    let [from_seq, mark_seq, replay_from, trained, held] = counts;
    let details = run.details.to_string();
    let LearnRun {
        run,
        model,
        checkpoint,
        ..
    } = run;
    let sql = "INSERT INTO learn_runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        run,
        from_seq,
        mark_seq,
        replay_from,
        trained,
        held,
        model,
        checkpoint,
        details
    ];
    transaction.execute(sql, values).map(drop)
}

/// Nothing changes where `version` serves already.
fn insert_promotion(transaction: &Transaction, version: &str, now_ms: i64) -> rusqlite::Result<()> {
    if serving(transaction)?.as_deref() == Some(version) {
        return Ok(());
    }
    let sql = "INSERT INTO promotions (version, promoted_ms) VALUES (?1, ?2)";
    transaction.execute(sql, params![version, now_ms]).map(drop)
}

fn serving(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT version FROM promotions WHERE rolled_back_ms IS NULL ORDER BY number DESC LIMIT 1";
    connection.query_row(sql, [], |row| row.get(0)).optional()
}

/// Number of the promotion that serves, and the version that served before it.
fn before(connection: &Connection) -> rusqlite::Result<Option<(i64, String)>> {
    let sql =
        "SELECT number, version FROM promotions WHERE rolled_back_ms IS NULL ORDER BY number DESC LIMIT 2";
    let newest: Vec<(i64, String)> = connection
        .prepare(sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(match newest.as_slice() {
        [(number, _), (_, before)] => Some((*number, before.clone())),
        _ => None,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error))
    })
}
