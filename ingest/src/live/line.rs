//! A line to a sensor that is asked: a server, a device, a serial port. It is kept: what breaks off
//! or is not there is told, and tried again, each time a little later.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::serial::Port;
use super::sockets::{Asking, LONGEST, Listener, NOBODY, now, over};
use super::telling::Telling;
use super::{discover, sockets};
use crate::capture::Datagram;
use crate::nameplate::Nameplate;

/// How long a line is left alone at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A device that is asked and says nothing for so long is asked again: it may have been switched on.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How often a line's state is told at the most.
const TOLD: usize = 20;

/// A line that is open.
enum Line {
    Server(TcpStream),
    Device(Asking),
    Port(Port),
}

impl Line {
    /// Opens a line; tells what was found on the way, and what that says of itself.
    async fn open(address: &Address, tell: impl FnOnce(String, Nameplate)) -> io::Result<Self> {
        match address {
            Address::Oculus { at, tcp } => {
                let (mut sonar, status) = discover::oculus(*at).await?;
                let elsewhere = status.connected.map_or(String::new(), |other| {
                    format!(", connected to {other} (it sends to one program at a time)")
                });
                let found = format!("{status}, at {}{elsewhere}", sonar.ip());
                tell(found, status.nameplate());
                sonar.set_port(*tcp);
                sockets::connect(sonar).await.map(Line::Server)
            }
            Address::Serial { port, baud } => Port::open(port, *baud).map(Line::Port),
            Address::Ask(device) => sockets::asking(*device).map(Line::Device),
            Address::Tcp(server) => sockets::connect(*server).await.map(Line::Server),
            Address::Udp { .. } | Address::Sound(_) | Address::Stdin => {
                Err(io::ErrorKind::Unsupported.into())
            }
        }
    }

    /// What comes; nothing where it has ended.
    async fn hear(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Server(stream) => stream.read(buffer).await,
            Line::Device(socket) => socket.recv(buffer).await,
            Line::Port(port) => port.read(buffer).await,
        }
    }

    async fn ask(&mut self, questions: &[Vec<u8>]) -> io::Result<()> {
        for question in questions {
            match self {
                Line::Server(stream) => stream.write_all(question).await?,
                Line::Device(socket) => drop(socket.send(question).await?),
                Line::Port(port) => port.write(question)?,
            }
        }
        Ok(())
    }
}

/// Keeps a line until `closed` says so: what comes goes to the listener's edge.
pub(super) async fn keep(listener: Listener, telling: Telling, mut closed: watch::Receiver<bool>) {
    let mut pause = PAUSE.0;
    let mut state = State {
        listener: &listener,
        telling,
        said: None,
        times: 0,
        found: None,
    };
    while !*closed.borrow() {
        let opened = tokio::select! {
            opened = Line::open(&listener.address, |found, said| state.found(found, said)) => opened,
            () = over(&mut closed) => return,
        };
        let ended = match opened {
            Ok(line) => {
                let heard = tokio::select! {
                    biased;
                    heard = listen(line, &mut state, &mut pause) => heard,
                    () = over(&mut closed) => return,
                };
                let said = match heard {
                    Ok(()) => "it has closed the line".to_owned(),
                    Err(said) => format!("it has gone away, {said}"),
                };
                let detail = format!("{}: {said}, and is asked again", listener.address);
                listener.edge.lost(0, detail);
                said
            }
            Err(said) => format!("{said}{}", remedy(&listener.address, &said)),
        };
        state.tell(Some(ended));
        tokio::select! {
            () = sleep(pause) => pause = (2 * pause).min(PAUSE.1),
            () = over(&mut closed) => return,
        }
    }
}

/// Hears until the line ends; asks at first, and again in silence.
async fn listen(mut line: Line, state: &mut State<'_>, pause: &mut Duration) -> io::Result<()> {
    let listener = state.listener;
    let from = match listener.address {
        Address::Ask(at) | Address::Tcp(at) => at,
        _ => NOBODY,
    };
    let mut buffer = vec![0; LONGEST];
    line.ask(&listener.questions).await?;
    loop {
        let heard = match listener.questions.is_empty() {
            true => Ok(line.hear(&mut buffer).await),
            false => timeout(ASK_AGAIN, line.hear(&mut buffer)).await,
        };
        let length = match heard {
            Ok(Ok(0)) if !matches!(line, Line::Device(_)) => return Ok(()),
            Ok(length) => length?,
            Err(_) => {
                line.ask(&listener.questions).await?;
                continue;
            }
        };
        *pause = PAUSE.0;
        // A line that opens is not yet a device that speaks.
        state.tell(None);
        listener.edge.push(Datagram {
            received: now(),
            source: from,
            destination: from,
            payload: buffer[..length].to_vec(),
        });
    }
}

/// What was told of a line.
struct State<'a> {
    listener: &'a Listener,
    telling: Telling,
    said: Option<String>,
    times: usize,
    found: Option<String>,
}

impl State<'_> {
    /// Tells what was found, if that is another than before.
    fn found(&mut self, found: String, said: Nameplate) {
        let Listener { id, name, .. } = self.listener;
        self.telling.device(*id, name, said);
        if self.found.as_ref() != Some(&found) && self.times < TOLD {
            self.times += 1;
            self.telling.tell(format!("sensor `{name}`: {found}"));
            self.found = Some(found);
        }
    }

    /// Tells what is wrong with it, or that it is there again, if that is another than before.
    fn tell(&mut self, wrong: Option<String>) {
        if wrong == self.said || self.times >= TOLD {
            return;
        }
        self.times += 1;
        let Listener { name, address, .. } = self.listener;
        self.telling.tell(match &wrong {
            None => format!("sensor `{name}`: {address} is there again"),
            Some(said) => format!("sensor `{name}`: {address}: {said}: tried again"),
        });
        self.said = wrong;
    }
}

/// What may be done about it.
fn remedy(address: &Address, said: &io::Error) -> &'static str {
    match (address, said.kind()) {
        (Address::Serial { .. }, io::ErrorKind::NotFound) => {
            ": is it plugged in? `ls /dev/serial/by-id` names the ports that are there"
        }
        (Address::Serial { .. }, io::ErrorKind::PermissionDenied) => {
            ": ports belong to a group, mostly `dialout`: `usermod -aG dialout USER` and a new login"
        }
        (Address::Serial { .. }, io::ErrorKind::ResourceBusy) => {
            ": another program has it (`fuser` names it)"
        }
        (Address::Ask(_) | Address::Tcp(_) | Address::Oculus { .. }, io::ErrorKind::ConnectionRefused) => {
            ": the host is there, and nothing listens at that port"
        }
        (Address::Ask(_) | Address::Tcp(_), io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable) => {
            ": is it switched on, and is this its address?"
        }
        _ => "",
    }
}
