package main

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestBenchmarksAreRead(t *testing.T) {
	const said = `goos: linux
BenchmarkChangeOfOneRoute-2   	    2000	     174212 ns/op	     65547 median-ns	   32733 B/op	     442 allocs/op
BenchmarkChangeOfOneRoute-2   	    2000	     184149 ns/op	     66348 median-ns	   32733 B/op	     440 allocs/op
PASS
`
	got, err := parseBench(said, "ChangeOfOneRoute")
	if err != nil || len(got) != 2 || got[0]["median-ns"] != 65547 || got[1]["allocs/op"] != 440 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "PASS\n", strings.Replace(said, "65547", "x", 1)} {
		if got, err := parseBench(bad, "ChangeOfOneRoute"); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

func TestEveryRowHasAMeasurement(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.name] {
			t.Errorf("two rows %s", r.name)
		}
		seen[r.name] = true
		found := false
		for _, m := range measurements {
			found = found || m.name == r.by
		}
		if !found || r.about == "" || r.unit == "" {
			t.Errorf("%+v", r)
		}
	}
}

func TestRowsAreChosenByTheBeginningOfTheirNames(t *testing.T) {
	got, err := chooseRows("in-force,match-allocs")
	var names []string
	for _, r := range got {
		names = append(names, r.name)
	}
	if text := strings.Join(names, " "); err != nil || text != "in-force-p50 in-force-p99 match-allocs" {
		t.Errorf("got %q, %v", text, err)
	}
	for _, bad := range []string{"nothing", "match,,", "match,none"} {
		if _, err := chooseRows(bad); err == nil {
			t.Errorf("%q chose something", bad)
		}
	}
}

// What was not measured is in the document, and says so.
func TestRowsWithoutTurnsAreUndecided(t *testing.T) {
	for _, r := range rows {
		if x := newResult().row(r); x.Value != nil || x.Verdict != "undecided" || x.Why == "" {
			t.Errorf("%s: got %+v", r.name, x)
		}
	}
}

func TestRelayPartsAndHeals(t *testing.T) {
	server, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	r, err := newRelay("127.0.0.1:0", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	ask := func() (net.Conn, bool) {
		t.Helper()
		c, err := net.Dial("tcp4", r.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "x") // whether it arrived is what the answer tells
		_, err = io.ReadFull(c, make([]byte, 1))
		return c, err == nil
	}
	first, ok := ask()
	if !ok {
		t.Fatal("no answer before")
	}
	r.cut()
	if n, err := first.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes from a connection that was cut", n)
	}
	if _, ok := ask(); ok {
		t.Error("an answer while the two are parted")
	}
	r.heal()
	if _, ok := ask(); !ok {
		t.Error("no answer after")
	}
}

func TestShapesDifferInValuesAndNotInTimes(t *testing.T) {
	a, err := shape([]byte(`{"id":"1","create_time":1,"nodes":{"a":1}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := shape([]byte(`{"nodes":{"a":1},"create_time":2,"id":"1"}`))
	if err != nil || len(a) != 3 || a["nodes"] != b["nodes"] || a["create_time"] != b["create_time"] {
		t.Errorf("got %v and %v, %v", a, b, err)
	}
	if c, err := shape([]byte(`{"nodes":{"a":2}}`)); err != nil || c["nodes"] == a["nodes"] {
		t.Errorf("got %v, %v", c, err)
	}
}
