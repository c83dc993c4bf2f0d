package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts that need no privileges. They are documentation,
// too: each shows what one group of commands does.
func TestScripts(t *testing.T) { testscript.Run(t, scriptParams("testdata/script")) }

// scriptParams give a script its own registry, directories and programs, and three
// commands beside those of testscript.
func scriptParams(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			bin := filepath.Join(e.WorkDir, ".bin")
			for _, d := range []string{bin, filepath.Join(e.WorkDir, ".run")} {
				if err := os.Mkdir(d, 0o755); err != nil {
					return err
				}
			}
			e.Setenv("PATH", bin+":"+os.Getenv("PATH"))
			e.Setenv("UNILB_BIN", bin)
			e.Setenv("XDG_RUNTIME_DIR", filepath.Join(e.WorkDir, ".run"))
			e.Setenv("GORACE", "atexit_sleep_ms=0") // a second each, otherwise
			e.Setenv("TZ", "UTC")
			return playAll(bin)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": cmdCode, "types": cmdTypes, "unpack": cmdUnpack},
	}
}

// cmdCode runs a command and wants its exit code: "code 3 lbsim up nowhere".
func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code CODE COMMAND [ARGS]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v: %v", args[1:], err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

// cmdTypes wants that stdout holds nothing but JSON objects, that they have just
// the types that are named, each at least once, and that objects of one type have
// one shape, whichever verb prints them: "types run moment".
func cmdTypes(ts *testscript.TestScript, neg bool, want []string) {
	if neg || len(want) == 0 {
		ts.Fatalf("usage: types TYPE...")
	}
	var got []string
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			ts.Fatalf("%q is not an object: %v", line, err)
		}
		kind, _ := o["type"].(string)
		if shape, ok := shapes[kind]; ok {
			if err := shape.check(o); err != nil {
				ts.Fatalf("%q %v", kind, err)
			}
		}
		got = append(got, kind)
	}
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		ts.Fatalf("types are %q, want %q", got, want)
	}
}

// cmdUnpack replaces a compressed file by what it holds: "unpack ops.ndjson.zst".
func cmdUnpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unpack FILE.zst")
	}
	path := ts.MkAbs(args[0])
	packed, err := os.ReadFile(path)
	ts.Check(err)
	z, err := zstd.NewReader(nil)
	ts.Check(err)
	defer z.Close()
	text, err := z.DecodeAll(packed, nil)
	ts.Check(err)
	ts.Check(os.WriteFile(strings.TrimSuffix(path, ".zst"), text, 0o644))
	ts.Check(os.Remove(path))
}
