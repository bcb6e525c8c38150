//! Keys on disk: made once, told, private, and refused when others may read them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use beluga_sinks::Error;
use beluga_sinks::maml::{DeviceKey, KeyFile, KeyStore, ReaderKey, Recipient};

#[test]
fn keys_are_made_on_first_use_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(&folder.path().join("new/keys")).unwrap();
    let made = store.device_key().unwrap();
    assert!(made.created && made.path.exists());
    let again = store.device_key().unwrap();
    assert!(!again.created);
    assert_eq!(made.key.id(), again.key.id());
    assert!(
        store.trust().unwrap().holds(&made.key.id()),
        "the own device is trusted"
    );

    let reader = store.reader_key().unwrap();
    assert!(reader.created);
    assert!(!store.reader_key().unwrap().created);
    let public = Recipient::load(&store.folder().join("reader.xwing.pub")).unwrap();
    assert_eq!(public.id(), reader.key.recipient().id());
    assert_eq!(
        ReaderKey::load(&reader.path).unwrap().recipient().id(),
        public.id()
    );
    assert!(!format!("{:?}", reader.key).contains("seed"));
}

#[test]
fn processes_that_make_keys_at_once_get_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let names: Vec<_> = std::thread::scope(|scope| {
        let make = || {
            let store = KeyStore::open(&keys).unwrap();
            let (device, reader) = (store.device_key().unwrap(), store.reader_key().unwrap());
            let names = format!("{} {}", device.key.id(), reader.key.recipient().id());
            assert!(store.trust().unwrap().holds(&device.key.id()));
            (names, device.created, reader.created)
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(names.iter().all(|(name, ..)| *name == names[0].0));
    assert_eq!(names.iter().filter(|(_, device, _)| *device).count(), 1);
    assert_eq!(names.iter().filter(|(.., reader)| *reader).count(), 1);
    assert_eq!(fs::read_dir(&keys).unwrap().count(), 4, "nothing else is left");
}

#[test]
fn the_own_device_is_trusted_also_after_a_crash_before_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(folder.path().join("keys").as_path()).unwrap();
    let id = store.device_key().unwrap().key.id();
    let list = store.folder().join("trusted");
    fs::remove_file(&list).unwrap();
    let again = store.device_key().unwrap();
    assert!(!again.created && store.trust().unwrap().holds(&id));
    store.device_key().unwrap();
    assert_eq!(fs::read_to_string(&list).unwrap().lines().count(), 1, "once");
    let other = DeviceKey::from_seed(&[9; 32]).id();
    fs::write(&list, format!("{other} a line without its end")).unwrap();
    store.device_key().unwrap();
    let trust = store.trust().unwrap();
    assert!(trust.holds(&id) && trust.holds(&other));
}

#[test]
fn asking_for_a_reader_key_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(&folder.path().join("keys")).unwrap();
    assert!(!store.has_reader_key());
    assert_eq!(fs::read_dir(store.folder()).unwrap().count(), 0);
    store.reader_key().unwrap();
    assert!(store.has_reader_key());
}

#[test]
fn strangers_are_trusted_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(&folder.path().join("keys")).unwrap();
    let stranger = DeviceKey::from_seed(&[9; 32]).id();
    assert!(!store.trust().unwrap().holds(&stranger));
    store.trust_signer(stranger, "the other\nboat").unwrap();
    assert!(store.trust().unwrap().holds(&stranger));
    fs::write(store.folder().join("trusted"), "nonsense\n").unwrap();
    assert!(matches!(store.trust(), Err(Error::SignerId { .. })));
}

#[cfg(unix)]
#[test]
fn keys_others_may_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let store = KeyStore::open(&keys).unwrap();
    assert_eq!(mode(&keys), 0o700);
    let device = store.device_key().unwrap().path;
    let reader = store.reader_key().unwrap().path;
    let file = folder.path().join("site.key");
    KeyFile::create(&file).unwrap();
    for path in [&device, &reader, &file] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
        set(path, 0o644);
    }
    let refused = |error: Option<Error>| matches!(error, Some(Error::KeyMode { found: 0o644, .. }));
    assert!(refused(store.device_key().err()));
    assert!(refused(store.reader_key().err()));
    assert!(refused(KeyFile::load(&file).err()));
    let remedy = format!("chmod 600 {}", file.display());
    let told = KeyFile::load(&file).unwrap_err().to_string();
    assert!(told.ends_with(&remedy), "{told}");
    set(&file, 0o600);
    KeyFile::load(&file).unwrap();
    set(&keys, 0o755);
    assert!(matches!(KeyStore::open(&keys), Err(Error::KeyMode { .. })));
}

#[test]
fn what_is_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = KeyStore::open(&folder.path().join("keys")).unwrap();
    let file = folder.path().join("site.key");
    KeyFile::create(&file).unwrap();
    assert!(
        matches!(KeyFile::create(&file), Err(Error::Io { .. })),
        "nothing is overwritten"
    );
    let device = store.device_key().unwrap().path;
    assert!(matches!(KeyFile::load(&device), Err(Error::BadKey { .. })));
    assert!(
        matches!(ReaderKey::load(&device), Err(Error::BadKey { .. })),
        "another kind of key"
    );
    for text in [
        "",
        "BELUGA-DEVICE-MLDSA65-SEED-1 AAAA\n",
        "BELUGA-DEVICE-MLDSA65-SEED-1\n",
        &"x".repeat(9000),
    ] {
        fs::write(&device, text).unwrap();
        assert!(matches!(store.device_key(), Err(Error::BadKey { .. })), "{text}");
    }
}

#[test]
fn keys_belong_where_the_variables_say() {
    let located = |set: &[(&str, &str)]| {
        KeyStore::locate(|name| {
            let found = set.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        })
    };
    let all = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/x"), ("BELUGA_HOME", "/b")];
    assert_eq!(located(&all), Some(PathBuf::from("/b/keys")));
    assert_eq!(located(&all[..2]), Some(PathBuf::from("/x/beluga/keys")));
    assert_eq!(located(&all[..1]), Some(PathBuf::from("/h/.config/beluga/keys")));
    assert_eq!(
        located(&[("HOME", "/h"), ("BELUGA_HOME", "")]),
        Some(PathBuf::from("/h/.config/beluga/keys"))
    );
    assert_eq!(located(&[]), None);
}
