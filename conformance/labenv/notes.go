package labenv

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// notesFile is how the run inside the sandbox tells the one outside what it
// found: one JSON object a line, as it happens.
const notesFile = "notes.ndjson"

// maxNote is the longest line of it, in bytes.
const maxNote = 16 << 20

type note struct {
	Run     *report.Run     `json:"run,omitempty"`
	Machine *report.Machine `json:"machine,omitempty"`
	Result  *spec.Result    `json:"result,omitempty"`
	Problem string          `json:"problem,omitempty"`
}

// notes writes; it is used by one goroutine. The first error sticks.
type notes struct {
	f   *os.File
	err error
}

func openNotes(dir string) (*notes, error) {
	f, err := os.Create(filepath.Join(dir, notesFile))
	if err != nil {
		return nil, fmt.Errorf("open notes: %w", err)
	}
	return &notes{f: f}, nil
}

func (n *notes) write(x note) {
	b, err := json.Marshal(x)
	if err == nil {
		_, err = n.f.Write(append(b, '\n'))
	}
	n.err = errors.Join(n.err, err)
}

func (n *notes) place(r report.Run, m report.Machine) { n.write(note{Run: &r, Machine: &m}) }
func (n *notes) result(r spec.Result)                 { n.write(note{Result: &r}) }
func (n *notes) problem(err error)                    { n.write(note{Problem: err.Error()}) }

// Close closes the file.
func (n *notes) Close() error { return n.f.Close() }

// found is what the notes say.
type found struct {
	Run      report.Run
	Machine  report.Machine
	cases    []spec.Result
	problems []string
}

// readNotes reads what was written, and gives every selected case that has no
// result one that says so.
func readNotes(dir string, selected []spec.Case) found {
	var n found
	f, err := os.Open(filepath.Join(dir, notesFile))
	if err != nil {
		n.problems = append(n.problems, fmt.Sprintf("the cases were never begun: %v", err))
	} else {
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, maxNote)
		for s.Scan() {
			n.take(s.Bytes())
		}
		if err := s.Err(); err != nil {
			n.problems = append(n.problems, fmt.Sprintf("read notes: %v", err))
		}
	}
	missing := 0
	for _, c := range selected {
		if slices.ContainsFunc(n.cases, func(r spec.Result) bool { return r.Case == c.ID }) {
			continue
		}
		missing++
		n.cases = append(n.cases, spec.Result{
			Case: c.ID, Title: c.Title, Level: c.Level, Feature: c.Needs[0], Profile: spec.ProfileOf(c), State: spec.Broken, Says: []string{"the run ended before this case"},
		})
	}
	if missing > 0 && len(n.problems) == 0 {
		n.problems = append(n.problems, fmt.Sprintf("%d cases have no result", missing))
	}
	return n
}

func (n *found) take(line []byte) {
	var x note
	if err := json.Unmarshal(line, &x); err != nil {
		n.problems = append(n.problems, fmt.Sprintf("read notes: %v", err))
		return
	}
	if x.Run != nil {
		n.Run = *x.Run
	}
	if x.Machine != nil {
		n.Machine = *x.Machine
	}
	if x.Result != nil {
		n.cases = append(n.cases, *x.Result)
	}
	if x.Problem != "" {
		n.problems = append(n.problems, x.Problem)
	}
}
