package lastgood

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
)

func sample() *Image {
	return &Image{Saved: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), Contents: []Content{
		{Prefix: "/apisix", Revision: 12, KVs: []store.KV{
			{Key: "/apisix/routes/", Value: []byte("init_dir"), Create: 2, Mod: 2},
			{Key: "/apisix/routes/1", Value: []byte("{\"uri\":\"/\"}\n\x00\xff"), Create: 5, Mod: 12},
		}},
		{Prefix: "/unilb/listeners", Revision: 3},
	}}
}

func encoded(t testing.TB, img *Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := encode(&b, img); err != nil || n != int64(b.Len()) {
		t.Fatalf("%d of %d bytes, %v", n, b.Len(), err)
	}
	return b.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := write(dir, sample()); err != nil {
		t.Fatal(err)
	}
	got, err := Read(dir)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("got %+v, %v, want %+v", got, err, sample())
	}
	if c := got.Of("/none"); c != nil {
		t.Errorf("got %+v for a prefix that is not there", c)
	}
}

func TestEveryDamageIsFound(t *testing.T) {
	whole := encoded(t, sample())
	for n := range whole {
		if _, err := decode(whole[:n]); err == nil {
			t.Errorf("cut off at %d: no error", n)
		}
		for bit := range 8 {
			b := bytes.Clone(whole)
			b[n] ^= 1 << bit
			if _, err := decode(b); err == nil {
				t.Errorf("bit %d of byte %d turned: no error", bit, n)
			}
		}
	}
	if _, err := decode(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("a byte more: no error")
	}
}

// What has the right checksum may still be nonsense: another version could have
// written it. The seed is a whole body; the sum is put right for each input.
func FuzzDecode(f *testing.F) {
	whole := encoded(f, sample())
	f.Add(whole[:len(whole)-4])
	f.Add([]byte(magic + `{"contents":[{"objects":1000000000}]}` + "\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		img, err := decode(binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli)))
		if err != nil {
			return
		}
		again, err := decode(encoded(t, img))
		if err != nil || len(again.Contents) != len(img.Contents) {
			t.Errorf("read, written and read again: %v, %d contents of %d", err, len(again.Contents), len(img.Contents))
		}
	})
}

func keeper(t *testing.T, o Options) *Keeper {
	t.Helper()
	o.Dir = filepath.Join(t.TempDir(), "new")
	if o.Every == 0 {
		o.Every = time.Nanosecond
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func kv(key, value string, mod int64) store.KV {
	return store.KV{Key: key, Value: []byte(value), Create: 1, Mod: mod}
}

func nothing(string) bool { return false }

// saved runs a keeper until it has written everything.
func saved(t *testing.T, k *Keeper) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = k.Run(ctx)
	img, err := k.Read()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range img.Contents {
		out = append(out, fmt.Sprint(c.Prefix, "@", c.Revision))
		for _, kv := range c.KVs {
			out = append(out, kv.Key+"="+string(kv.Value))
		}
	}
	return strings.Join(out, " ")
}

func TestKeeperWritesWhatIsInForce(t *testing.T) {
	k := keeper(t, Options{})
	k.Note("/d", store.Batch{Revision: 5, Reset: true, Puts: []store.KV{kv("/d/a", "1", 4), kv("/d/b", "1", 5)}}, nothing)
	k.Note("/e", store.Batch{Revision: 5, Reset: true}, nothing)
	k.Note("/d", store.Batch{Revision: 7, Puts: []store.KV{kv("/d/c", "1", 7)}, Deletes: []string{"/d/a"}}, nothing)
	if got, want := saved(t, k), "/d@7 /d/b=1 /d/c=1 /e@5"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	k.Note("/d", store.Batch{Revision: 8, Puts: []store.KV{kv("/d/b", "bad", 8), kv("/d/c", "2", 8)}}, func(key string) bool { return key == "/d/b" })
	if got, want := saved(t, k), "/d@8 /d/b=1 /d/c=2 /e@5"; got != want {
		t.Errorf("an object was refused\ngot  %s\nwant %s", got, want)
	}
	k.Note("/d", store.Batch{Revision: 2, Reset: true, Puts: []store.KV{kv("/d/z", "1", 2)}}, nothing)
	if got, want := saved(t, k), "/d@2 /d/z=1 /e@5"; got != want {
		t.Errorf("after a reset\ngot  %s\nwant %s", got, want)
	}
}

func TestKeeperDoesNotTakeTheFileItBeganWithForNew(t *testing.T) {
	k := keeper(t, Options{})
	if _, err := write(k.o.Dir, sample()); err != nil {
		t.Fatal(err)
	}
	img, err := k.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i := range img.Contents {
		k.Begin(&img.Contents[i])
	}
	saved(t, k)
	if again, err := k.Read(); err != nil || !again.Saved.Equal(sample().Saved) {
		t.Errorf("got %+v, %v, want the file as it was", again, err)
	}
	k.Note("/unilb/listeners", store.Batch{Revision: 4, Puts: []store.KV{kv("/unilb/listeners/l", "1", 4)}}, nothing)
	if got := saved(t, k); !strings.HasPrefix(got, "/apisix@12 ") || !strings.HasSuffix(got, "/unilb/listeners@4 /unilb/listeners/l=1") {
		t.Errorf("got %s, want the new object beside those of the file", got)
	}
}

func TestFailedWriteIsCountedAndTriedAgain(t *testing.T) {
	k := keeper(t, Options{})
	if err := os.Remove(k.o.Dir); err != nil {
		t.Fatal(err)
	}
	k.Note("/d", store.Batch{Revision: 5, Reset: true, Puts: []store.KV{kv("/d/a", "1", 5)}}, nothing)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Run(ctx) }()
	wait := func(what string, cond func(Status) bool) {
		t.Helper()
		for limit := time.Now().Add(20 * time.Second); !cond(k.Status()); <-time.After(time.Millisecond) {
			if time.Now().After(limit) {
				t.Fatalf("not reached: %s; %+v", what, k.Status())
			}
		}
	}
	wait("a failure", func(s Status) bool { return s.Failures > 1 && s.Err != "" && s.Writes == 0 })
	if err := os.Mkdir(k.o.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	wait("a write", func(s Status) bool { return s.Writes == 1 && s.Err == "" && s.Revisions["/d"] == 5 })
	cancel()
	<-done
}

func TestKeeperLeavesOutWhatMayNotBeStored(t *testing.T) {
	k := keeper(t, Options{Stored: func(_ string, kv store.KV) ([]byte, bool) {
		return []byte("sealed"), kv.Key != "/d/secret"
	}})
	k.Note("/d", store.Batch{Revision: 5, Reset: true, Puts: []store.KV{kv("/d/a", "1", 4), kv("/d/secret", "1", 5)}}, nothing)
	if got, want := saved(t, k), "/d@5 /d/a=sealed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWhatAKilledWriteLeftIsRemoved(t *testing.T) {
	k := keeper(t, Options{})
	left := filepath.Join(k.o.Dir, name+".123")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.Note("/d", store.Batch{Revision: 5, Reset: true}, nothing)
	saved(t, k)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

func TestFileFromBeforeADirectoryBecameEmptyIsKept(t *testing.T) {
	k := keeper(t, Options{})
	before := func() string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(k.o.Dir, previous))
		if os.IsNotExist(err) {
			return "none"
		}
		img, err := decode(b)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(img.Contents[0].Prefix, "@", img.Contents[0].Revision)
	}
	step := func(what string, rev int64, reset bool, want string, puts ...store.KV) {
		t.Helper()
		k.Note("/d", store.Batch{Revision: rev, Reset: reset, Puts: puts}, nothing)
		k.Note("/z-always-empty", store.Batch{Revision: rev, Reset: true}, nothing)
		saved(t, k)
		if got := before(); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	slash := kv("/d/routes/", "init_dir", 1)
	step("nothing was there", 1, true, "none", slash)
	step("an object", 2, false, "none", kv("/d/routes/1", "1", 2))
	step("another", 3, false, "none", kv("/d/routes/2", "1", 3))
	step("etcd is empty", 4, true, "/d@3", slash)
	step("still", 5, true, "/d@3", slash)
	step("an object again", 6, false, "/d@3", kv("/d/routes/1", "1", 6))
	// Another process begins with an etcd that was emptied meanwhile.
	k2, err := New(k.o)
	if err != nil {
		t.Fatal(err)
	}
	k = k2
	step("empty at the start", 7, true, "/d@6")
	k, err = New(k.o)
	if err != nil {
		t.Fatal(err)
	}
	step("empty again", 8, true, "/d@6")
}
