package store_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/access"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// openSecure opens a store as a program does: by flags and environment.
func openSecure(t *testing.T, s *etcdtest.Secure) *store.Store {
	t.Helper()
	o, err := told(s, "--etcd-ca", s.CA, "--etcd-cert", s.Cert, "--etcd-key", s.Key)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func told(s *etcdtest.Secure, args ...string) (store.Options, error) {
	var a access.Access
	f := flag.NewFlagSet("test", flag.ContinueOnError)
	a.Flags(f)
	if err := f.Parse(args); err != nil {
		return store.Options{}, err
	}
	env := map[string]string{"UNILB_ETCD_USER": s.User, "UNILB_ETCD_PASSWORD": s.Password}
	endpoints := []string{s.Endpoint()}
	err := a.Read(func(name string) string { return env[name] }, endpoints)
	return a.Options(endpoints, nil), err
}

func TestStoreWorksWithTLSAndAUserWhoMayReadItsDirectoryAlone(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.StartSecure(t, "/d/")
	s := openSecure(t, etcd)
	put(t, s, "/d/a", "1")
	f := follow(t, s, "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	f.untilRev(put(t, s, "/d/b", "1"))
	if _, err := s.Commit(t.Context(), nil, store.Op{Key: "/elsewhere", Value: []byte("1")}); err == nil {
		t.Error("the user wrote where it may not: this etcd asks for no names, and the test proves nothing")
	}
	// Another process has no token yet, and a restarted etcd has forgotten all of them.
	etcd.Down()
	etcd.Up()
	f.untilRev(put(t, s, "/d/c", "1"))
	f.want(map[string]string{"/d/a": "1", "/d/b": "1", "/d/c": "1"})
	if kvs, _, err := s.List(t.Context(), "/d"); err != nil || len(kvs) != 3 {
		t.Errorf("list: %d keys, %v", len(kvs), err)
	}
}

func TestOpenDoesNotWaitForAnEtcdThatAsksForNames(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.StartSecure(t, "/d/")
	etcd.Down()
	began := time.Now()
	s := openSecure(t, etcd)
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %s", took)
	}
	f := follow(t, s, "/d")
	etcd.Up()
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	f.untilRev(put(t, s, "/d/a", "1"))
}

func TestWrongCredentialsAreAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.StartSecure(t, "/d/")
	get := func(o store.Options) error {
		s, err := store.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, _, _, err = s.Get(ctx, "/d/a")
		return err
	}
	good, err := told(etcd, "--etcd-ca", etcd.CA, "--etcd-cert", etcd.Cert, "--etcd-key", etcd.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := get(good); err != nil {
		t.Fatal(err)
	}
	wrong := good
	wrong.Password = "guessed"
	if err := get(wrong); err == nil || !strings.Contains(err.Error(), "authentication failed") {
		t.Errorf("wrong password: got %v", err)
	}
	nobody := good
	nobody.User, nobody.Password = "", ""
	if err := get(nobody); err == nil {
		t.Error("without a user: got no error")
	}
	unshown := good
	unshown.TLS = unshown.TLS.Clone()
	unshown.TLS.GetClientCertificate = nil
	var unavailable *store.UnavailableError
	if err := get(unshown); !errors.As(err, &unavailable) {
		t.Errorf("without a certificate: got %v", err)
	}
	strangers := good
	strangers.TLS = strangers.TLS.Clone()
	strangers.TLS.RootCAs = nil
	if err := get(strangers); !errors.As(err, &unavailable) {
		t.Errorf("a member of an unknown authority: got %v", err)
	}
}

func TestWatchGoesOnAfterThePasswordWasChanged(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.StartSecure(t, "/d/")
	old := openSecure(t, etcd)
	f := follow(t, old, "/d")
	for range 2 { // the first may come by the list
		f.untilRev(put(t, old, "/d/a", "0"))
	}
	etcd.SetPassword(t, "another")
	f.untilRev(put(t, openSecure(t, etcd), "/d/a", "1"))
}

func TestFlagsOfAccessAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.StartSecure(t, "/d/")
	junk := filepath.Join(t.TempDir(), "junk.pem")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		args []string
		want string
	}{
		{"no such file", []string{"--etcd-ca", junk + "x"}, "--etcd-ca: "},
		{"no certificate in it", []string{"--etcd-ca", junk}, "holds no certificate"},
		{"certificate without key", []string{"--etcd-cert", etcd.Cert}, "go together"},
		{"not a pair", []string{"--etcd-cert", etcd.CA, "--etcd-key", etcd.Key}, "--etcd-cert: "},
	} {
		if _, err := told(etcd, tc.args...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
	half := &etcdtest.Secure{Server: etcd.Server, User: "somebody"}
	if _, err := told(half); err == nil {
		t.Error("a user without a password: got no error")
	}
	plain := &etcdtest.Secure{Server: etcdtest.Start(t)}
	if _, err := told(plain, "--etcd-ca", etcd.CA); err == nil || !strings.Contains(err.Error(), "https://") {
		t.Errorf("an authority for a member without TLS: got %v", err)
	}
}
