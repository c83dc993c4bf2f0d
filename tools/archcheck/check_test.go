package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func tree(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for p, src := range files {
		fsys[p] = &fstest.MapFile{Data: []byte(src)}
	}
	out, err := Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestForbiddenArrowsAreReported(t *testing.T) {
	for _, c := range []struct{ name, path, src, want string }{
		{"product imports testbed", "impl/l4/x.go", `package l4; import _ "github.com/unilb/unilb/sim/lab"`, "must not know the testbed"},
		{"product test imports lab", "impl/l4/x_test.go", `package l4; import _ "github.com/unilb/unilb/sim/lab"`, "nothing else of the testbed"},
		{"testbed imports product", "sim/lab/x.go", `package lab; import _ "github.com/unilb/unilb/impl/apisix"`, "judges binaries"},
		{"testbed test imports product", "sim/lab/x_test.go", `package lab; import _ "github.com/unilb/unilb/impl/apisix"`, "judges binaries"},
		{"pure package speaks http", "impl/route/x.go", `package route; import _ "net/http"`, "are pure"},
		{"namespace switched elsewhere", "sim/lab/x.go", `package lab; import _ "github.com/vishvananda/netns"`, "one place"},
		{"netlink elsewhere", "impl/gateway/x.go", `package gateway; import _ "github.com/vishvananda/netlink"`, "few owners"},
		{"ebpf elsewhere", "impl/agent/x.go", `package agent; import _ "github.com/cilium/ebpf/link"`, "owned by the forwarding planes"},
		{"testing in product", "sim/lab/x.go", `package lab; import _ "testing"`, "stay in tests"},
		{"net/http in the pipeline", "impl/proxy/x.go", `package proxy; import _ "net/http"`, "engine-neutral"},
		{"driver imports suite", "conformance/driver/x.go", `package driver; import _ "github.com/unilb/unilb/conformance/suite"`, "never import their caller"},
		{"etcd server elsewhere", "impl/store/x.go", `package store; import _ "go.etcd.io/etcd/server/v3/embed"`, "one command embeds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(tree(t, map[string]string{c.path: c.src}).CheckImports(Rules), "\n")
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want a finding with %q", got, c.want)
			}
		})
	}
}

func TestAllowedArrowsPass(t *testing.T) {
	got := tree(t, map[string]string{
		"impl/fnat/x_test.go":    `package fnat; import ("testing"; "github.com/unilb/unilb/sim/netns"; "github.com/cilium/ebpf")`,
		"impl/engine/std/x.go":   `package std; import "net/http"`,
		"impl/proxy/x_test.go":   `package proxy; import "net/http"`,
		"cmd/unilb-etcd/main.go": `package main; import "go.etcd.io/etcd/server/v3/embed"`,
		"sim/netns/x.go":         `package netns; import "github.com/vishvananda/netns"`,
		"conformance/suite/x.go": `package suite; import "github.com/unilb/unilb/conformance/driver"`,
	}).CheckImports(Rules)
	if len(got) != 0 {
		t.Errorf("got findings %q, want none", got)
	}
}

func TestForbiddenNamesAreReported(t *testing.T) {
	got := tree(t, map[string]string{
		"impl/route/x.go":   "package route\nimport \"time\"\nvar t = time.Now()\nvar d time.Duration",
		"sim/lab/x_test.go": "package lab\nimport clock \"time\"\nfunc f() { clock.Sleep(1) }",
		"sim/lab/x.go":      "package lab\nimport \"time\"\nfunc f() { time.Sleep(1) }",
	}).CheckCalls(Calls)
	want := []string{
		"impl/route/x.go:3: impl/route may not use time.Now: pure packages take the time as a value",
		"sim/lab/x_test.go:3: sim/lab may not use time.Sleep: tests wait for a revision, an event or an answer, never for time",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryPackageHasOneComment(t *testing.T) {
	got := tree(t, map[string]string{
		"a/a.go":      "// Package a owns a.\npackage a",
		"a/b.go":      "package a",
		"b/b.go":      "package b",
		"c/c.go":      "// Package c owns c.\npackage c",
		"c/d.go":      "// Package c again.\npackage c",
		"c/d_test.go": "// Package c tests.\npackage c",
	}).CheckDocs()
	want := "b: no package comment; say what the package owns, what it never does, what is safe for concurrent use\nc: 2 package comments (c/c.go, c/d.go); keep one"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}
