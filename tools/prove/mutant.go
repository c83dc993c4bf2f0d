package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Mutant is a known-bad build: a patch whose head says what is wrong with
// it, which binary it spoils and what must catch it.
//
//	Title: the gateway ignores deletes
//	Build: l7gw
//	Catch: case RELOAD-DELETE-EFFECT
//	Also: case RELOAD-EDIT-UNDER-LOAD
//	Says: want 200 from
//	Replace: impl/fnat/bpf/fnat_bpfel.o
//
//	diff --git a/impl/... b/impl/...
//
// Catch is "case ID", "scenario TEXT", TEXT being part of the spec's name,
// "incident NAME", which "lbsim run NAME" must call wrong, or "test PACKAGE
// NAME", a unit test or Test/name of a part of it, for what no client can be
// made to see every time; then there is no Build.
// Also names a further case that must turn red, one a line.
// Gateway is the driver that a case is run with; l7gw when it is missing.
// Says is part of what the catcher must say: a lab that does not come up fails
// every scenario and catches nothing. Scenarios and incidents need it.
// Replace names files that are replaced whole, from a folder beside the patch
// that has the patch's name without .patch; it is how an eBPF mutant brings
// its compiled object.
type Mutant struct {
	Name    string
	Title   string
	Build   string
	Catch   Catch
	Also    []string // ids of further cases
	Gateway string   // driver for cases
	Says    string
	Found   string
	Fixed   string
	Replace []string
	Files   []string // files the patch changes
	Patch   []byte
}

// Catch says who must turn red.
type Catch struct{ Kind, Name string }

// String is the form of the patch's head.
func (c Catch) String() string { return c.Kind + " " + c.Name }

// ReadMutants reads every *.patch of the folder, sorted by name.
func ReadMutants(fsys fs.FS) ([]Mutant, error) {
	names, err := fs.Glob(fsys, "*.patch")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var out []Mutant
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		m, err := parseMutant(strings.TrimSuffix(path.Base(name), ".patch"), b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, m)
	}
	return out, nil
}

func parseMutant(name string, patch []byte) (Mutant, error) {
	m := Mutant{Name: name, Patch: patch, Gateway: "l7gw"}
	head := true
	lines := bufio.NewScanner(bytes.NewReader(patch))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "diff --git a/"); ok {
			head = false
			file, _, ok := strings.Cut(rest, " b/")
			if !ok {
				return m, fmt.Errorf("line %d: want 'diff --git a/FILE b/FILE'", n)
			}
			m.Files = append(m.Files, file)
		}
		key, value, ok := strings.Cut(line, ": ")
		if !head || !ok {
			continue
		}
		switch key {
		case "Title":
			m.Title = value
		case "Build":
			m.Build = value
		case "Says":
			m.Says = value
		case "Gateway":
			m.Gateway = value
		case "Found":
			m.Found = value
		case "Fixed":
			m.Fixed = value
		case "Replace":
			m.Replace = append(m.Replace, value)
		case "Catch":
			m.Catch.Kind, m.Catch.Name, _ = strings.Cut(value, " ")
			if m.Catch.Name == "" || !slices.Contains([]string{"case", "scenario", "incident", "test"}, m.Catch.Kind) {
				return m, fmt.Errorf("line %d: Catch wants 'case ID', 'scenario TEXT', 'incident NAME' or 'test PACKAGE NAME', got %q", n, value)
			}
		case "Also":
			id, ok := strings.CutPrefix(value, "case ")
			if !ok {
				return m, fmt.Errorf("line %d: Also wants 'case ID', got %q", n, value)
			}
			m.Also = append(m.Also, id)
		default:
			return m, fmt.Errorf("line %d: unknown head line %q; known: Title, Build, Catch, Also, Gateway, Says, Found, Fixed, Replace", n, key)
		}
	}
	for _, want := range []struct{ key, value string }{{"Title", m.Title}, {"Build", m.Build}, {"Catch", m.Catch.Kind}} {
		if want.value == "" && (want.key != "Build" || m.Catch.Kind != "test") {
			return m, fmt.Errorf("the head lacks a line '%s: ...'", want.key)
		}
	}
	if m.Catch.Kind != "case" && m.Says == "" {
		return m, fmt.Errorf("the head lacks a line 'Says: ...': part of what the scenario must say")
	}
	if len(m.Files) == 0 {
		return m, fmt.Errorf("the patch changes no file")
	}
	return m, lines.Err()
}

// choice says which mutants are run. The zero value chooses all.
type choice struct {
	only string // part of the name
	some int    // at most so many; 0: no limit
	turn int    // the next turn begins where this one ends
}

func (c choice) of(all []Mutant) []Mutant {
	var named []Mutant
	for _, m := range all {
		if strings.Contains(m.Name, c.only) {
			named = append(named, m)
		}
	}
	if c.some <= 0 || c.some >= len(named) {
		return named
	}
	out := make([]Mutant, c.some)
	for i := range out {
		out[i] = named[(c.turn*c.some+i)%len(named)]
	}
	return out
}
