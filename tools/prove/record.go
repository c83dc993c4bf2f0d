package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// record writes the page of the track record, or only compares it.
func record(fsys fs.FS, page string, check bool) error {
	ms, err := ReadMutants(fsys)
	if err != nil {
		return err
	}
	text, err := recordPage(ms)
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(page, text, 0o644)
	}
	have, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%s is out of date: run make gen", page)
	}
	return nil
}

const recordHead = `# Track record

Bugs of our own that this testbed, or a test written for it, has found. Each is kept as the patch that puts it back, in scenarios/record, with what must turn red then: a conformance case, an
incident, or a unit test where no client can be made to see it every time. ` + "`make record`" + ` builds every bad build again and shows that it is still caught; one alone: ` + "`make record ONLY=001`" + `.

`

// recordPage is the page of the track record, from the heads of its patches.
func recordPage(ms []Mutant) ([]byte, error) {
	var b strings.Builder
	b.WriteString(recordHead)
	for _, m := range ms {
		if m.Found == "" || m.Fixed == "" {
			return nil, fmt.Errorf("%s: an entry of the record has lines 'Found: ...' and 'Fixed: ...'", m.Name)
		}
		number, _, _ := strings.Cut(m.Name, "-")
		fmt.Fprintf(&b, "## %s\n\n%s.\n\n", m.Name, strings.ToUpper(m.Title[:1])+m.Title[1:])
		fmt.Fprintf(&b, "| | |\n|---|---|\n| found by | %s |\n| mended by | %s |\n| caught by | %s |\n", m.Found, m.Fixed, m.Catch)
		if m.Says != "" {
			fmt.Fprintf(&b, "| which says | %s |\n", m.Says)
		}
		fmt.Fprintf(&b, "| again | `make record ONLY=%s` |\n\n", number)
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}
