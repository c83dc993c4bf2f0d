package history

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/unilb/unilb/topology"
)

func TestSaveAndOpenGiveTheSameHistory(t *testing.T) {
	for name, want := range map[string]*History{"full": full(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			for range 2 { // a second save replaces the first
				save(t, want, dir)
			}
			got := open(t, dir)
			if asJSON(t, got) != asJSON(t, want) {
				t.Errorf("got\n%s\nwant\n%s", asJSON(t, got), asJSON(t, want))
			}
			if name == "full" && !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
				t.Errorf("temporary files are left: %v", left)
			}
		})
	}
}

func TestSaveTakesAwayWhatAnEditorUnpacked(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ops.ndjson", "{}\n")
	save(t, full(), dir)
	if got := open(t, dir); len(got.Ops) != 1 || got.Ops[0].ID != "a-1" {
		t.Errorf("got %+v", got.Ops)
	}
}

func TestOpenReadsWhatWasSavedBeforeThereWasCompression(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, runFile, `{"start":"2026-03-02T10:14:05Z","lost":3}`+"\n")
	write(t, dir, "ops.ndjson", `{"seq":1,"id":"a"}`+"\n")
	for _, name := range []string{"arrivals.ndjson", "writes.ndjson", "faults.ndjson", "events.ndjson"} {
		write(t, dir, name, "")
	}
	h := open(t, dir)
	if len(h.Ops) != 1 || h.Lost != 3 || h.Start.Year() != 2026 || len(h.Edited) != 0 {
		t.Errorf("got %+v", h)
	}
}

// The two sides of one rule: a file that lost a record is somebody's edit, a file
// that lost a byte is damaged.
func TestOpenTellsEditsFromDamage(t *testing.T) {
	many := full()
	for i := range 50 {
		many.Writes = append(many.Writes, Write{Seq: uint64(100 + i), Key: "k"})
		many.Ops = append(many.Ops, Op{Seq: uint64(200 + i), ID: fmt.Sprint("b-", i)})
	}
	edits := map[string]struct {
		edit func(t *testing.T, dir string)
		want string
	}{
		"a record taken out": {func(t *testing.T, dir string) {
			lines := strings.SplitAfter(read(t, dir, "writes.ndjson"), "\n")
			write(t, dir, "writes.ndjson", strings.Join(lines[1:], ""))
		}, "writes.ndjson has 50 records, and had 51"},
		"all records taken out": {func(t *testing.T, dir string) { write(t, dir, "spans.ndjson", "") }, "spans.ndjson has 0 records"},
		"a record changed": {func(t *testing.T, dir string) {
			write(t, dir, "writes.ndjson", strings.Replace(read(t, dir, "writes.ndjson"), `"k"`, `"keys"`, 1))
		}, "writes.ndjson was changed"},
		"a record changed in place": {func(t *testing.T, dir string) {
			write(t, dir, "writes.ndjson", strings.Replace(read(t, dir, "writes.ndjson"), `"k"`, `"q"`, 1)+"\n")
		}, "writes.ndjson was changed"},
		"unpacked and shortened": {func(t *testing.T, dir string) {
			lines := strings.SplitAfter(read(t, dir, "ops.ndjson.zst"), "\n")
			write(t, dir, "ops.ndjson", strings.Join(lines[1:], ""))
			if err := os.Remove(filepath.Join(dir, "ops.ndjson.zst")); err != nil {
				t.Fatal(err)
			}
		}, "ops.ndjson has 50 records"},
		"changed and packed again": {func(t *testing.T, dir string) {
			write(t, dir, "ops.ndjson.zst", strings.Replace(read(t, dir, "ops.ndjson.zst"), "b-7", "b-8", 1))
		}, "ops.ndjson.zst was changed"},
	}
	for name, c := range edits {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			save(t, many, dir)
			c.edit(t, dir)
			h := open(t, dir)
			if len(h.Edited) != 1 || !strings.Contains(h.Edited[0], c.want) {
				t.Errorf("got %q, want one line with %q", h.Edited, c.want)
			}
			again := t.TempDir()
			save(t, h, again)
			if got := open(t, again); !slices.Equal(got.Edited, h.Edited) {
				t.Errorf("saved again it says %q, want %q", got.Edited, h.Edited)
			}
		})
	}
	damages := map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"half a line":    {func(t *testing.T, dir string) { write(t, dir, "writes.ndjson", "{}\n{\"key\":") }, "writes.ndjson:2: damaged"},
		"two records":    {func(t *testing.T, dir string) { write(t, dir, "writes.ndjson", "{}\n{}{}\n") }, "writes.ndjson:2: damaged: something follows"},
		"no object":      {func(t *testing.T, dir string) { write(t, dir, "events.ndjson", "null\n") }, "events.ndjson:1: damaged: not a JSON object"},
		"unknown field":  {func(t *testing.T, dir string) { write(t, dir, "events.ndjson", `{"texu":"x"}`) }, "events.ndjson:1: damaged"},
		"wrong type":     {func(t *testing.T, dir string) { write(t, dir, "faults.ndjson", `{"from":"x"}`) }, "faults.ndjson:1: damaged"},
		"line too large": {func(t *testing.T, dir string) { write(t, dir, "events.ndjson", strings.Repeat("x", MaxLineBytes+1)) }, "events.ndjson: damaged after line 0"},
		"empty archive":  {func(t *testing.T, dir string) { truncate(t, dir, "ops.ndjson.zst", 0) }, "ops.ndjson.zst: damaged: it is empty"},
		"both":           {func(t *testing.T, dir string) { write(t, dir, "ops.ndjson", "") }, "ops.ndjson lies beside"},
		"not finished":   {func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, runFile)) }, "history.json"},
		"tallies taken out": {func(t *testing.T, dir string) {
			write(t, dir, runFile, `{"start":"2026-03-02T10:14:05Z","lost":0,"files":{}}`)
		}, "history.json: damaged"},
	}
	for _, f := range full().files(new([]censusLine)) {
		damages[f.name+" missing"] = struct {
			damage func(t *testing.T, dir string)
			want   string
		}{func(t *testing.T, dir string) { _ = os.Remove(filepath.Join(dir, f.name)) }, f.name}
	}
	for name, c := range damages {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			save(t, many, dir)
			c.damage(t, dir)
			wantRefusal(t, dir, c.want)
		})
	}
}

// Whatever byte of whatever file is hit, the file is refused by its name. The one
// exception does no harm: a byte of an archive's header that is only a hint.
func TestOpenRefusesEveryFlippedByteAndEveryCut(t *testing.T) {
	dir := t.TempDir()
	want := full()
	save(t, want, dir)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 9 {
		t.Fatalf("got %d files (%v), want 9", len(entries), err)
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(whole) == 0 {
			t.Fatalf("%s is empty", e.Name())
		}
		for i := range whole {
			bad := append([]byte(nil), whole...)
			bad[i] ^= 1
			write(t, dir, e.Name(), string(bad))
			h, err := Open(dir)
			if err == nil && strings.HasSuffix(e.Name(), packed) && i < 6 && reflect.DeepEqual(h, want) {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), e.Name()) {
				t.Fatalf("%s, byte %d (%q, now %q): got %v, edited %q; want a refusal by name", e.Name(), i, whole[i], bad[i], err, edited(h))
			}
		}
		for _, keep := range []int{len(whole) / 2, len(whole) - 3} {
			write(t, dir, e.Name(), string(whole[:keep]))
			wantRefusal(t, dir, e.Name())
		}
		write(t, dir, e.Name(), string(whole))
	}
	open(t, dir)
}

func TestOpenKeepsOneCopyOfWhatRecordsShare(t *testing.T) {
	const n = 10_000
	dir := t.TempDir()
	saveMany(t, dir, n)
	before := heap()
	h := open(t, dir)
	used := heap() - before
	t.Logf("%d ops and arrivals take %d bytes each", n, used/n)
	if used/n > 800 { // 888 with a copy in each record
		t.Errorf("an op and its arrival take %d bytes, want at most 800", used/n)
	}
	runtime.KeepAlive(h)
}

func BenchmarkOpenMillion(b *testing.B) {
	const n = 1_000_000
	dir := b.TempDir()
	saveMany(b, dir, n)
	for b.Loop() {
		before := heap()
		h, err := Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MB-kept")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys)/(1<<20), "MB-from-system")
		runtime.KeepAlive(h)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func saveMany(tb testing.TB, dir string, n int) {
	tb.Helper()
	h := &History{Ops: make([]Op, n), Arrivals: make([]Arrival, n)}
	for i := range n {
		at := time.Duration(i) * 200 * time.Microsecond
		r := Request{Method: "GET", Target: "/cart", Proto: "HTTP/1.1", Host: "shop.example"}
		id := fmt.Sprintf("fast-%d-%d", i%40, i)
		h.Ops[i] = Op{
			Seq: uint64(i + 1), ID: id, Stream: "fast", Client: topology.Ref(fmt.Sprint("client/inet-", i%4)), Kind: "http", To: "203.0.113.10:80",
			From: fmt.Sprintf("198.51.100.%d:%d", i%4, 30000+i%20000), Intended: at, Sent: at, Returned: at + time.Millisecond, Request: r,
			Response: &Response{Status: 200, Backend: "vpc/shop/web-1", BodyLen: 120, BodySum: "0123456789abcdef"}, Outcome: OK, Conn: uint64(i % 40), Reused: i / 40,
		}
		h.Arrivals[i] = Arrival{Seq: uint64(n + i), ID: id, Backend: "vpc/shop/web-1", VNI: 1001, From: fmt.Sprintf("100.127.0.1:%d", 20000+i%40000), At: at, Seen: r,
			Answer: &Answer{Status: 200, BodyLen: 120, BodySum: "0123456789abcdef"}}
	}
	if err := h.Save(dir); err != nil {
		tb.Fatal(err)
	}
}

func save(t *testing.T, h *History, dir string) {
	t.Helper()
	if err := h.Save(dir); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *History {
	t.Helper()
	h, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func wantRefusal(t *testing.T, dir, want string) {
	t.Helper()
	if h, err := Open(dir); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, edited %q; want an error with %q", err, edited(h), want)
	}
}

func edited(h *History) []string {
	if h == nil {
		return nil
	}
	return h.Edited
}

// read unpacks a file.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, packed) {
		z, err := zstd.NewReader(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if b, err = z.DecodeAll(b, nil); err != nil {
			t.Fatal(err)
		}
	}
	return string(b)
}

// write packs what is not packed yet.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	b := []byte(text)
	if strings.HasSuffix(name, packed) && strings.HasPrefix(text, "{") {
		z, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		b = z.EncodeAll(b, nil)
	}
	if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, dir, name string, size int64) {
	t.Helper()
	if err := os.Truncate(filepath.Join(dir, name), size); err != nil {
		t.Fatal(err)
	}
}

func asJSON(t *testing.T, h *History) string {
	t.Helper()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "null", "[]") // no records and no list of them are the same
}
