package nodelog

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLinesSayWhenTheyWereWritten(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 14, 5, 250_000_000, time.UTC)
	for line, want := range map[string]time.Time{
		`{"time":"2026-03-02T10:14:05.25Z","msg":"x"}`:           at,
		`{"level":"warn","ts":"2026-03-02T10:14:05.250000Z"}`:    at,
		`{"level":"warn","ts":"2026-03-02T12:14:05.250+0200"}`:   at,
		`{"ts":1772446445.25,"msg":"x"}`:                         at,
		`2026-03-02T10:14:05.25Z something`:                      at,
		`[2026-03-02T11:14:05.25+01:00] something`:               at,
		`2026-03-02T10:14:05 no zone`:                            {},
		`2026/03/02 10:14:05 [error] 7#7: *1 upstream timed out`: {},
		`{"time":"yesterday"}`:                                   {},
		`{"time":-1}`:                                            {},
		`{"time":`:                                               {},
		"goroutine 1 [running]:":                                 {},
		"":                                                       {},
	} {
		if got := Stamp([]byte(line)); !got.Round(time.Microsecond).Equal(want) {
			t.Errorf("%s: got %v, want %v", line, got, want)
		}
	}
}

// write makes a directory of logs.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLogsAreSelectedByNodeAndProcess(t *testing.T) {
	all, err := All(write(t, map[string]string{
		"bj/az1/l7-1/gateway.log": "", "bj/az1/l7-1/lbc-agent.log": "", "bj/az2/l7-1/gateway.log": "", "bj/az2/l7-1/core": "", "stray.log": "",
	}))
	if err != nil || len(all) != 3 {
		t.Fatalf("got %+v, %v, want three logs", all, err)
	}
	for what, want := range map[string]int{
		"bj/az1/l7-1": 2, "bj/az1/l7-1/gateway": 1, "bj/*/l7-*/gateway": 2, "**": 3, "bj/az1/l7-1/*": 2, "bj/az3/**": 0, "gateway": 0, "": 0,
	} {
		got, err := Select(all, what)
		var none *NotFound
		if len(got) != want || (want == 0) != errors.As(err, &none) {
			t.Errorf("%q: got %d logs, %v, want %d", what, len(got), err, want)
		}
	}
	if _, err := Select(all, "nobody"); err == nil || !strings.Contains(err.Error(), "bj/az1/l7-1, bj/az2/l7-1") {
		t.Errorf("the error does not say whose logs there are: %v", err)
	}
}

func TestEveryLineIsReadOnceWhateverItsLength(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	dir := write(t, map[string]string{"n/p.log": "first\r\n\n" + long + "\n" + strings.Repeat("y", MaxLine+10) + "\nlast without an end"})
	var got []string
	err := Log{Path: filepath.Join(dir, "n/p.log")}.Each(func(l Line) error {
		got = append(got, string(l.Text))
		return nil
	})
	if err != nil || len(got) != 5 || got[0] != "first" || got[1] != "" || got[2] != long || len(got[3]) != MaxLine || got[4] != "last without an end" {
		var lengths []int
		for _, g := range got {
			lengths = append(lengths, len(g))
		}
		t.Errorf("got lines of lengths %v, %v", lengths, err)
	}
	stop := errors.New("enough")
	if err := (Log{Path: filepath.Join(dir, "n/p.log")}).Each(func(Line) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want the error of the function", err)
	}
}
