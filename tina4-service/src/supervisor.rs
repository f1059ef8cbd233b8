//! The state of all services of one runner: requests and reports in, jobs and news out.
//!
//! It is only ever touched under the pool's lock, never calls user code, and takes time as an
//! argument. What must happen outside of the lock (logs, waking sleepers, dropping the user's
//! values) is put aside for [`Desk::settle`].

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};

use crate::clock::{Dice, Nanos, nanos};
use crate::context::{Never, RunOrder};
use crate::event::{Change, Event, LogLine, Subscribers};
use crate::job::{self, Crash, Done, Job, Kind, Report};
use crate::lifecycle::{self, Command, Ending, Facts, Lifecycle, Note, Refusal, State};
use crate::params::Forgotten;
use crate::plan::{Fault, Links, Plan, Selection, StartError, link};
use crate::pool::Desk;
use crate::registration::Definition;
use crate::report::{ControlError, StopReport, Stopped, StoppedService};
use crate::status::{Habit, ServiceInfo, Stats};
use crate::unit::{Environment, Unit};

pub(crate) struct Supervisor {
    env: Arc<Environment>,
    entries: Vec<Entry>,
    by_name: HashMap<Cow<'static, str>, u32>,
    selection: Selection,
    /// `(deadline, index)`, earliest first. An entry that no longer says the truth is corrected
    /// when it comes up.
    timers: BinaryHeap<Reverse<(Nanos, u32)>>,
    dice: Dice,
    subscribers: Subscribers,
    /// Services in an activation.
    active: usize,
    shutdown: Option<Shutdown>,
    last_report: Option<StopReport>,
    /// Consequences of a step that are steps of their own.
    todo: VecDeque<Todo>,
    aftermath: Aftermath,
    news: bool,
    /// The process is ending: nothing starts any more.
    exiting: bool,
    thread_error: Option<io::Error>,
    /// Kept for its allocation.
    notes: Vec<Note>,
}

/// One service.
struct Entry {
    unit: Arc<Unit>,
    life: Lifecycle,
    stats: Stats,
    after: Vec<u32>,
    dependents: Vec<u32>,
    /// The earliest of this service's entries in `timers`.
    queued: Nanos,
    last_run: RunOrder,
    /// When this activation was asked to stop, and when it ended.
    asked: Option<Nanos>,
    ended: Option<Nanos>,
    failed_hooks: u64,
}

/// A `stop_all` in progress.
struct Shutdown {
    began: Nanos,
    deadline: Nanos,
    critical: Option<Cow<'static, str>>,
}

enum Todo {
    /// Stop it, if nothing that comes after it is active any more.
    Tell(u32),
    StartAgain(u32),
    /// A critical service has failed.
    ShutDown(u32),
}

/// What to do once the lock is released.
#[derive(Default)]
pub(crate) struct Aftermath {
    /// Sleeps wake when these are dropped.
    wakes: Vec<Sender<Never>>,
    forgotten: Vec<Forgotten>,
    log: Vec<LogLine>,
}

/// A stop that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) index: u32,
    activation: u32,
    at: Nanos,
}

impl Supervisor {
    pub(crate) fn new(env: Arc<Environment>, selection: Selection) -> Self {
        let dice = Dice::new(env.clock.seed());
        Self {
            env,
            entries: Vec::new(),
            by_name: HashMap::new(),
            selection,
            timers: BinaryHeap::new(),
            dice,
            subscribers: Subscribers::default(),
            active: 0,
            shutdown: None,
            last_report: None,
            todo: VecDeque::new(),
            aftermath: Aftermath::default(),
            news: false,
            exiting: false,
            thread_error: None,
            notes: Vec::new(),
        }
    }

    // ---- What there is -------------------------------------------------------------------------

    pub(crate) fn add(&mut self, definition: Definition, now: Nanos) {
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.by_name.entry(definition.name()).or_insert(index);
        self.entries.push(Entry {
            unit: Arc::new(Unit::new(definition, Arc::clone(&self.env))),
            life: Lifecycle::new(now),
            stats: Stats::default(),
            after: Vec::new(),
            dependents: Vec::new(),
            queued: Nanos::MAX,
            last_run: RunOrder { number: 0, attempt: 1, due: now, started: now },
            asked: None,
            ended: None,
            failed_hooks: 0,
        });
    }

    fn find(&self, name: &str) -> Result<u32, ControlError> {
        let unknown = || ControlError::Unknown { name: name.to_owned() };
        self.by_name.get(name).copied().ok_or_else(unknown)
    }

    pub(crate) fn subscribe(&mut self) -> Receiver<Event> {
        self.subscribers.add()
    }

    pub(crate) fn state(&self, name: &str) -> Option<State> {
        self.find(name).ok().map(|index| self.entry(index).life.state())
    }

    pub(crate) fn status(&self) -> BTreeMap<String, State> {
        let line =
            |entry: &Entry| (entry.unit.definition.name_str().to_owned(), entry.life.state());
        self.entries.iter().map(line).collect()
    }

    pub(crate) fn services(&self, now: Nanos) -> Vec<ServiceInfo> {
        let mut all: Vec<_> = self.entries.iter().map(|entry| self.info(entry, now)).collect();
        all.sort_by(|a, b| (&a.name, a.place).cmp(&(&b.name, b.place)));
        all
    }

    fn info(&self, entry: &Entry, now: Nanos) -> ServiceInfo {
        let Entry { unit, life, stats, .. } = entry;
        let (definition, clock) = (&unit.definition, &self.env.clock);
        let wall = |instant: Option<Nanos>| instant.map(|instant| clock.wall_at(instant));
        let heard = life.running_since().map(|started| (started, unit.last_beat()));
        let timeout = definition.spec().timeout.map(nanos);
        ServiceInfo {
            name: definition.name(),
            place: definition.place(),
            function: definition.path(),
            schedule: definition.spec().schedule,
            state: life.state(),
            since: clock.wall_at(life.since()),
            next_due: wall(life.next_run()),
            runs: stats.runs,
            crashes: stats.crashes,
            restarts: stats.restarts,
            crashes_in_a_row: life.crashes_in_a_row(),
            skipped: stats.skipped,
            last_start: wall(stats.last_start),
            last_end: wall(stats.last_end),
            last_duration: stats.last_end.map(|_| stats.duration.spread().last),
            last_error: stats.last_error.clone(),
            lateness: stats.lateness.spread(),
            duration: stats.duration.spread(),
            stuck: heard.zip(timeout).is_some_and(|((started, beat), timeout)| {
                started.max(beat).saturating_add(timeout) <= now
            }),
            heartbeat_age: heard
                .filter(|(started, beat)| beat >= started && *beat > 0)
                .map(|(_, beat)| Duration::from_nanos(now.saturating_sub(beat))),
        }
    }

    fn entry(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    // ---- Check and start -----------------------------------------------------------------------

    /// Checks everything, and keeps who comes after whom.
    fn relink(&mut self) -> (Links, Vec<Fault>) {
        let units: Vec<_> = self.entries.iter().map(|entry| Arc::clone(&entry.unit)).collect();
        let (links, faults) = link(&units, &self.selection, &self.env.resources);
        for entry in &mut self.entries {
            entry.dependents.clear();
        }
        for (after, index) in links.after.iter().zip(0_u32..) {
            self.entries[index as usize].after.clone_from(after);
            for first in after {
                self.entries[*first as usize].dependents.push(index);
            }
        }
        (links, faults)
    }

    fn may_start(&self) -> Result<(), StartError> {
        if self.exiting || self.shutdown.is_some() { Err(StartError::ShuttingDown) } else { Ok(()) }
    }

    pub(crate) fn check(&mut self) -> Result<Plan, StartError> {
        if self.entries.is_empty() && self.selection.unknown.is_empty() {
            return Err(StartError::NothingFound);
        }
        let (links, faults) = self.relink();
        if !faults.is_empty() {
            return Err(StartError::Faults(faults));
        }
        let units: Vec<_> = self.entries.iter().map(|entry| Arc::clone(&entry.unit)).collect();
        Ok(Plan::new(&units, &links, self.env.clock.wall()))
    }

    pub(crate) fn start_all(&mut self, now: Nanos) -> Result<(), StartError> {
        self.may_start()?;
        if self.entries.is_empty() && self.selection.unknown.is_empty() {
            return Err(StartError::NothingFound);
        }
        let (links, faults) = self.relink();
        if !faults.is_empty() {
            return Err(StartError::Faults(faults));
        }
        for index in links.order {
            let entry = self.entry(index);
            let autostart = entry.unit.definition.spec().autostart;
            // What has finished or failed has said its last word until it is started by name.
            let fresh =
                matches!(entry.life.state(), State::Registered | State::Stopped | State::Abandoned);
            if autostart && fresh {
                self.start_entry(index, now);
            }
        }
        Ok(())
    }

    fn start_entry(&mut self, index: u32, now: Nanos) -> Command {
        let held = self.is_held(index);
        self.event(index, lifecycle::Event::Start { held }, now)
    }

    /// Whether something that it comes after has been started but is not up.
    fn is_held(&self, index: u32) -> bool {
        self.entry(index).after.iter().any(|first| self.entry(*first).life.is_coming_up())
    }

    pub(crate) fn start(&mut self, name: &str, now: Nanos) -> Result<(), ControlError> {
        let index = self.find(name)?;
        self.may_start().map_err(ControlError::Start)?;
        let (_, faults) = self.relink();
        let own: Vec<_> = faults.into_iter().filter(|fault| fault.concerns(name)).collect();
        if !own.is_empty() {
            return Err(ControlError::Start(StartError::Faults(own)));
        }
        match self.start_entry(index, now) {
            Command::Refused(Refusal::Active)
            | Command::Nothing
            | Command::Run { .. }
            | Command::CleanUp => Ok(()),
            Command::Refused(refusal) => Err(self.refused(index, refusal, now)),
        }
    }

    /// The reason that there is no thread to work at all, if that is so.
    pub(crate) fn take_thread_error(&mut self) -> Option<io::Error> {
        self.thread_error.take()
    }

    /// Takes back a start for which there is no thread.
    pub(crate) fn undo_start(&mut self, now: Nanos) {
        for index in self.indices() {
            self.event(index, lifecycle::Event::Stop { deadline: now }, now);
            self.event(index, lifecycle::Event::Expired, now);
        }
    }

    // ---- One service ---------------------------------------------------------------------------

    pub(crate) fn request(
        &mut self,
        name: &str,
        event: lifecycle::Event,
        now: Nanos,
    ) -> Result<(), ControlError> {
        let index = self.find(name)?;
        match self.event(index, event, now) {
            Command::Refused(refusal) => Err(self.refused(index, refusal, now)),
            Command::Nothing | Command::Run { .. } | Command::CleanUp => Ok(()),
        }
    }

    fn refused(&self, index: u32, refusal: Refusal, now: Nanos) -> ControlError {
        let entry = self.entry(index);
        let name = entry.unit.definition.name_str().to_owned();
        match refusal {
            Refusal::Active | Refusal::NotActive => {
                ControlError::NotActive { name, state: entry.life.state() }
            }
            Refusal::Held => ControlError::NotUpYet { name },
            Refusal::Busy => ControlError::Busy { name },
            Refusal::Stopping => ControlError::Stopping { name },
            Refusal::Alive => ControlError::StillAlive {
                name,
                age: self.age(entry, now),
                place: entry.unit.definition.place(),
            },
        }
    }

    /// For how long the last run of a service has been going on.
    fn age(&self, entry: &Entry, now: Nanos) -> Duration {
        Duration::from_nanos(now.saturating_sub(entry.last_run.started))
    }

    /// Asks one service to stop.
    pub(crate) fn ask_to_stop(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<Result<Asked, Stopped>, ControlError> {
        let index = self.find(name)?;
        let entry = self.entry(index);
        let state = entry.life.state();
        if !state.is_active() {
            let answer = if entry.life.is_executing() {
                Stopped::Abandoned {
                    age: self.age(entry, now),
                    place: entry.unit.definition.place(),
                }
            } else {
                Stopped::NotActive { state }
            };
            return Ok(Err(answer));
        }
        let activation = entry.life.activation();
        let deadline = now.saturating_add(nanos(entry.unit.definition.spec().stop_timeout));
        self.tell(index, deadline, now);
        Ok(Ok(Asked { index, activation, at: now }))
    }

    /// Asks one service to stop and to start again; like [`Supervisor::ask_to_stop`].
    pub(crate) fn ask_to_restart(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<Option<Asked>, ControlError> {
        match self.ask_to_stop(name, now)? {
            Ok(asked) => {
                // If it had nothing to wait for it has ended already.
                self.start(name, now)?;
                Ok(Some(asked))
            }
            Err(_) => self.start(name, now).map(|()| None),
        }
    }

    fn tell(&mut self, index: u32, deadline: Nanos, now: Nanos) {
        self.entries[index as usize].asked.get_or_insert(now);
        self.event(index, lifecycle::Event::Stop { deadline }, now);
    }

    /// The result of a stop, or until when to wait for it. `inside`: the service that asks.
    pub(crate) fn stop_result(
        &mut self,
        asked: Asked,
        inside: Option<u32>,
        now: Nanos,
    ) -> Result<Stopped, Option<Nanos>> {
        let Asked { index, activation, at } = asked;
        if self.entry(index).life.stop_deadline().is_some_and(|deadline| deadline <= now) {
            self.event(index, lifecycle::Event::Expired, now);
        }
        let entry = self.entry(index);
        let same = entry.life.activation() == activation;
        if same && entry.life.state() == State::Abandoned {
            let place = entry.unit.definition.place();
            return Ok(Stopped::Abandoned { age: self.age(entry, now), place });
        }
        if !same || !entry.life.state().is_active() {
            let ended = entry.ended.unwrap_or(now);
            return Ok(Stopped::Ended { after: Duration::from_nanos(ended.saturating_sub(at)) });
        }
        // Two services that stop each other would wait for ever: who is asked itself does not.
        if inside.is_some_and(|inside| self.entry(inside).unit.stop_requested()) {
            return Ok(Stopped::Requested);
        }
        Err(entry.life.stop_deadline())
    }

    // ---- Stopping all --------------------------------------------------------------------------

    pub(crate) fn stop_all(
        &mut self,
        timeout: Duration,
        critical: Option<Cow<'static, str>>,
        now: Nanos,
    ) {
        let deadline = now.saturating_add(nanos(timeout));
        match &mut self.shutdown {
            Some(shutdown) => shutdown.deadline = shutdown.deadline.min(deadline),
            None if self.active > 0 => {
                self.shutdown = Some(Shutdown { began: now, deadline, critical });
            }
            // Nothing runs: what there is to say was said, or there is nothing to say.
            None => {
                if self.last_report.is_none() {
                    self.last_report = Some(self.report(now, now, None));
                }
                return;
            }
        }
        self.todo.extend(self.indices().map(Todo::Tell));
        self.pump(now);
    }

    fn indices(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// Whether nothing is active and no shutdown is in progress.
    pub(crate) fn is_quiet(&self) -> bool {
        self.active == 0 && self.shutdown.is_none()
    }

    /// The report of a shutdown that is over, or until when to wait for it.
    pub(crate) fn shutdown_result(&mut self, now: Nanos) -> Result<StopReport, Option<Nanos>> {
        if self.shutdown.as_ref().is_some_and(|shutdown| shutdown.deadline <= now) {
            self.expire(now);
        }
        match &self.shutdown {
            Some(shutdown) => Err(Some(shutdown.deadline)),
            None => Ok(self.last_report.clone().unwrap_or_default()),
        }
    }

    /// How things stand while a shutdown is in progress.
    pub(crate) fn interim_report(&self, now: Nanos) -> StopReport {
        let began = self.shutdown.as_ref().map_or(now, |shutdown| shutdown.began);
        let critical = self.shutdown.as_ref().and_then(|shutdown| shutdown.critical.clone());
        let in_progress = self.shutdown.is_some();
        StopReport { in_progress, ..self.report(began, now, critical) }
    }

    /// Gives up on everything whose time is over, which may let others be told, and so on.
    fn expire(&mut self, now: Nanos) {
        loop {
            let late: Vec<_> = self
                .indices()
                .filter(|index| {
                    let life = &self.entry(*index).life;
                    life.stop_deadline().is_some_and(|deadline| deadline <= now)
                })
                .collect();
            if late.is_empty() {
                return;
            }
            for index in late {
                self.event(index, lifecycle::Event::Expired, now);
            }
        }
    }

    fn report(&self, began: Nanos, now: Nanos, critical: Option<Cow<'static, str>>) -> StopReport {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|entry| (entry.ended, entry.unit.definition.name_str()));
        let between = |from: Nanos, to: Nanos| Duration::from_nanos(to.saturating_sub(from));
        let service = |entry: &Entry| StoppedService {
            name: entry.unit.definition.name(),
            place: entry.unit.definition.place(),
            state: entry.life.state(),
            took: entry.asked.zip(entry.ended).map(|(asked, ended)| between(asked, ended)),
            age: (entry.life.state() == State::Abandoned).then(|| self.age(entry, now)),
            failed_hooks: entry.failed_hooks,
        };
        StopReport {
            services: entries.into_iter().map(service).collect(),
            took: between(began, now),
            critical,
            in_progress: false,
        }
    }

    // ---- The end of the process ----------------------------------------------------------------

    /// The process ends: nothing starts any more, nothing is logged, everything stops. `inside`:
    /// the service whose run ends the process, and so never returns.
    pub(crate) fn exit(&mut self, inside: Option<(usize, u32)>, timeout: Duration, now: Nanos) {
        self.exiting = true;
        self.env.exiting.store(true, Ordering::Relaxed);
        self.stop_all(timeout, None, now);
        if let Some((runner, index)) = inside
            && runner == Arc::as_ptr(&self.env).addr()
        {
            self.event(index, lifecycle::Event::Vanished, now);
        }
    }

    // ---- Steps ---------------------------------------------------------------------------------

    /// One step of one service, and all that follows from it.
    fn event(&mut self, index: u32, event: lifecycle::Event, now: Nanos) -> Command {
        let command = self.step(index, event, now, None);
        self.pump(now);
        command
    }

    /// Carries out consequences until there are none. A loop, not a recursion: a chain of `after`
    /// may be long.
    fn pump(&mut self, now: Nanos) {
        while let Some(todo) = self.todo.pop_front() {
            match todo {
                Todo::Tell(index) => self.tell_if_free(index, now),
                Todo::StartAgain(index) => {
                    if self.may_start().is_ok() {
                        let held = self.is_held(index);
                        self.step(index, lifecycle::Event::Start { held }, now, None);
                    }
                }
                Todo::ShutDown(index) => {
                    let name = self.entry(index).unit.definition.name();
                    let timeout = self.env.shutdown_timeout;
                    if self.active == 0 {
                        self.last_report = Some(self.report(now, now, Some(name)));
                    } else {
                        self.stop_all(timeout, Some(name), now);
                    }
                }
            }
        }
        if self.active == 0
            && let Some(shutdown) = self.shutdown.take()
        {
            self.last_report = Some(self.report(shutdown.began, now, shutdown.critical));
            self.news = true;
        }
    }

    /// During a shutdown: stops a service once nothing that comes after it is active.
    fn tell_if_free(&mut self, index: u32, now: Nanos) {
        let Some(shutdown) = &self.shutdown else {
            return;
        };
        let entry = self.entry(index);
        let free =
            entry.dependents.iter().all(|later| !self.entry(*later).life.state().is_active());
        if free && entry.life.state().is_active() {
            let own = now.saturating_add(nanos(entry.unit.definition.spec().stop_timeout));
            let deadline = own.min(shutdown.deadline);
            self.entries[index as usize].asked.get_or_insert(now);
            self.step(index, lifecycle::Event::Stop { deadline }, now, None);
        }
    }

    /// One step of one life cycle; `crash` comes with [`lifecycle::Event::Crashed`].
    fn step(
        &mut self,
        index: u32,
        event: lifecycle::Event,
        now: Nanos,
        crash: Option<Crash>,
    ) -> Command {
        let entry = &mut self.entries[index as usize];
        let facts = Facts {
            now,
            hooks: entry.unit.has_hooks(),
            beat: entry.unit.last_beat(),
            dice: if entry.unit.definition.spec().jitter.is_zero() { 0 } else { self.dice.roll() },
        };
        let (was_active, was_coming_up) =
            (entry.life.state().is_active(), entry.life.is_coming_up());
        let mut notes = std::mem::take(&mut self.notes);
        let spec = entry.unit.definition.spec();
        let command = entry.life.step(spec, facts, event, &mut |note| notes.push(note));
        let (is_active, is_coming_up) = (entry.life.state().is_active(), entry.life.is_coming_up());
        self.rearm(index);
        match (was_active, is_active) {
            (false, true) => self.active += 1,
            (true, false) => self.active -= 1,
            (true, true) | (false, false) => {}
        }
        for note in notes.drain(..) {
            self.take_note(index, note, crash.as_ref(), now);
        }
        self.notes = notes;
        if was_coming_up && !is_coming_up {
            self.release_dependents(index, now);
        }
        if was_active && !is_active {
            self.news = true;
            let first = &self.entries[index as usize].after;
            self.todo.extend(first.iter().copied().map(Todo::Tell));
        }
        if let Command::Run { due, attempt } = command {
            self.run_begins(index, due, attempt, now);
        }
        command
    }

    /// Keeps the promise of `timers`: an entry no later than the deadline.
    fn rearm(&mut self, index: u32) {
        let entry = &mut self.entries[index as usize];
        if let Some(deadline) = entry.life.deadline()
            && deadline < entry.queued
        {
            entry.queued = deadline;
            self.timers.push(Reverse((deadline, index)));
        }
    }

    fn release_dependents(&mut self, index: u32, now: Nanos) {
        for position in 0..self.entry(index).dependents.len() {
            let dependent = self.entry(index).dependents[position];
            if !self.is_held(dependent) {
                self.step(dependent, lifecycle::Event::Release, now, None);
            }
        }
    }

    fn run_begins(&mut self, index: u32, due: Nanos, attempt: u32, now: Nanos) {
        let entry = &mut self.entries[index as usize];
        entry.stats.began(due, now);
        let number = entry.stats.runs;
        entry.last_run = RunOrder { number, attempt, due, started: now };
        if !self.subscribers.is_empty() {
            let lateness = Duration::from_nanos(now.saturating_sub(due));
            self.tell_subscribers(index, &Change::RunBegan { run: number, lateness }, now);
        }
    }

    /// Counts what happened, and tells it.
    fn take_note(&mut self, index: u32, note: Note, crash: Option<&Crash>, now: Nanos) {
        let entry = &mut self.entries[index as usize];
        let crash_text = || crash.map_or_else(|| "".into(), |crash| Arc::clone(&crash.text));
        let change = match note {
            Note::Started => {
                entry.unit.renew();
                (entry.asked, entry.ended, entry.failed_hooks) = (None, None, 0);
                self.last_report = None;
                Change::Started
            }
            Note::Skipped(count) => {
                entry.stats.skipped += count;
                Change::Skipped { count }
            }
            Note::Crashed { in_a_row, restart_in } => {
                entry.stats.crashes += 1;
                entry.stats.last_error = Some(crash_text());
                Change::Crashed { in_a_row, cause: crash_text(), restart_in }
            }
            Note::CrashedWhileStopping => match crash {
                Some(Crash { text, panicked: true }) => {
                    Change::PanickedWhileStopping { cause: Arc::clone(text) }
                }
                // What it returned on its way out does not matter.
                Some(Crash { panicked: false, .. }) | None => return,
            },
            Note::Returned { restart_in } => {
                if restart_in.is_none() {
                    entry.stats.last_error = Some("returned more often than `max_restarts`".into());
                }
                Change::Returned { restart_in }
            }
            Note::Restarted => {
                entry.stats.restarts += 1;
                Change::Restarted
            }
            Note::Stuck { running_for } => Change::Stuck { running_for },
            Note::Paused => Change::Paused,
            Note::Resumed => Change::Resumed,
            Note::Stopping => {
                // Somebody may wait inside this very service: see `stop_result`.
                self.news = true;
                self.aftermath.wakes.extend(entry.unit.request_stop());
                Change::Stopping
            }
            Note::Ended { ending, start_again } => {
                entry.ended = Some(now);
                let forgotten = entry.unit.forget_locals();
                self.aftermath.forgotten.extend(forgotten);
                if start_again {
                    self.todo.push_back(Todo::StartAgain(index));
                }
                match ending {
                    Ending::Stopped => Change::Stopped,
                    Ending::Finished => Change::Finished,
                    Ending::Failed => {
                        if entry.unit.definition.spec().critical {
                            self.todo.push_back(Todo::ShutDown(index));
                        }
                        let cause = entry.stats.last_error.clone().unwrap_or_else(|| "".into());
                        Change::Failed { cause }
                    }
                }
            }
            Note::Abandoned => {
                entry.ended = Some(now);
                let running_for = Duration::from_nanos(now.saturating_sub(entry.last_run.started));
                Change::Abandoned { running_for }
            }
            Note::LateEnd => {
                self.news = true;
                Change::LateEnd
            }
        };
        self.record(index, change, now);
    }

    /// Tells subscribers at once, and the log once the lock is released.
    fn record(&mut self, index: u32, change: Change, now: Nanos) {
        if !self.subscribers.is_empty() {
            self.tell_subscribers(index, &change, now);
        }
        if !self.exiting && LogLine::is_for(&change) {
            let unit = Some(Arc::clone(&self.entry(index).unit));
            self.aftermath.log.push(LogLine { unit, change });
        }
    }

    fn tell_subscribers(&mut self, index: u32, change: &Change, now: Nanos) {
        let service = self.entry(index).unit.definition.name();
        let at = self.env.clock.wall_at(now);
        self.subscribers.send(&Event { service, at, change: change.clone() });
    }

    fn job(&self, index: u32, kind: Kind) -> Job {
        let entry = self.entry(index);
        let short = match entry.stats.habit() {
            Habit::Unknown => None,
            Habit::Short => Some(true),
            Habit::Long => Some(false),
        };
        // A clean-up runs once: nothing is known about it.
        let short = short.filter(|_| kind == Kind::Run);
        Job { unit: Arc::clone(&entry.unit), index, kind, order: entry.last_run, short }
    }

    fn job_for(&self, index: u32, command: Command) -> Option<Job> {
        match command {
            Command::Run { .. } => Some(self.job(index, Kind::Run)),
            Command::CleanUp => Some(self.job(index, Kind::CleanUp)),
            Command::Nothing | Command::Refused(_) => None,
        }
    }
}

impl Desk for Supervisor {
    type Job = Job;
    type Report = Report;
    type Aftermath = Aftermath;

    fn next_due(&mut self) -> Option<Nanos> {
        while let Some(Reverse((at, index))) = self.timers.peek().copied() {
            let entry = &mut self.entries[index as usize];
            if entry.queued == at && entry.life.deadline() == Some(at) {
                return Some(at);
            }
            self.timers.pop();
            if entry.queued == at {
                entry.queued = Nanos::MAX;
                self.rearm(index);
            }
        }
        None
    }

    fn take(&mut self, now: Nanos) -> Option<Job> {
        while self.next_due().is_some_and(|due| due <= now) {
            let Some(Reverse((_, index))) = self.timers.pop() else {
                break;
            };
            self.entries[index as usize].queued = Nanos::MAX;
            let command = self.event(index, lifecycle::Event::Due, now);
            if let Some(job) = self.job_for(index, command) {
                return Some(job);
            }
        }
        None
    }

    fn finish(&mut self, report: Report, now: Nanos) -> Option<Job> {
        let Report { index, result } = report;
        let entry = &mut self.entries[index as usize];
        let is_run = matches!(result, Done::Good(_) | Done::Crashed(_));
        // The result of an abandoned run is dropped.
        if is_run && entry.life.state() != State::Abandoned {
            let started = entry.last_run.started;
            entry.stats.ended(started, now);
            if !self.subscribers.is_empty() {
                let run = entry.last_run.number;
                let took = Duration::from_nanos(now.saturating_sub(started));
                self.tell_subscribers(index, &Change::RunEnded { run, took }, now);
            }
        }
        let command = match result {
            Done::Good(flow) => self.step(index, lifecycle::Event::Ended(flow), now, None),
            Done::Crashed(crash) => self.step(index, lifecycle::Event::Crashed, now, Some(crash)),
            Done::CleanedUp(failures) => {
                self.entries[index as usize].failed_hooks += failures.len() as u64;
                for cause in failures {
                    self.record(index, Change::HookFailed { cause }, now);
                }
                self.step(index, lifecycle::Event::CleanedUp, now, None)
            }
        };
        self.pump(now);
        self.job_for(index, command)
    }

    fn work(job: Job) -> Report {
        job::perform(job)
    }

    fn is_short(job: &Job) -> Option<bool> {
        match job.kind {
            Kind::Run => job.short,
            Kind::CleanUp => Some(false),
        }
    }

    fn most_jobs(&self) -> usize {
        self.entries.len()
    }

    fn is_over(&mut self) -> bool {
        self.active == 0 && self.next_due().is_none()
    }

    fn aftermath(&mut self) -> Option<Aftermath> {
        let Aftermath { wakes, forgotten, log } = &self.aftermath;
        let empty = wakes.is_empty() && forgotten.is_empty() && log.is_empty();
        (!empty).then(|| std::mem::take(&mut self.aftermath))
    }

    fn settle(aftermath: Aftermath) {
        let Aftermath { wakes, forgotten, log } = aftermath;
        drop(wakes);
        // Destructors and log subscribers are user code: a panic has been reported by the panic
        // hook, and must not end a worker.
        for values in forgotten {
            let _ = crate::panics::catch(|| drop(values));
        }
        for line in log {
            let _ = crate::panics::catch(|| line.write());
        }
    }

    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    fn thread_failed(&mut self, error: &io::Error) {
        let change = Change::ThreadFailed { error: error.to_string().into() };
        if !self.subscribers.is_empty() {
            let at = self.env.clock.wall();
            self.subscribers.send(&Event { service: "".into(), at, change: change.clone() });
        }
        if !self.exiting {
            self.aftermath.log.push(LogLine { unit: None, change });
        }
        self.thread_error = Some(io::Error::new(error.kind(), error.to_string()));
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("services", &self.entries.len()).finish_non_exhaustive()
    }
}
