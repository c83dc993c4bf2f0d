package nodelog

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unilb/unilb/topology"
)

// A Log is what one process wrote.
type Log struct {
	Node    topology.Ref `json:"node"`
	Process string       `json:"process"`
	Path    string       `json:"path"`
}

// Name is the node and the process.
func (l Log) Name() string { return string(l.Node) + "/" + l.Process }

const suffix = ".log"

// All returns the logs below a directory, which has a folder for each segment of a
// node's name and a file for each process.
func All(dir string) ([]Log, error) {
	var out []Log
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, suffix) {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || !strings.Contains(rel, "/") {
			return err
		}
		out = append(out, Log{
			Node: topology.Ref(filepath.Dir(rel)), Process: strings.TrimSuffix(filepath.Base(rel), suffix), Path: path,
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find logs: %w", err)
	}
	return out, nil
}

// A NotFound says that no log was selected, and whose there are.
type NotFound struct {
	What  string
	Known []string
}

func (e *NotFound) Error() string {
	const most = 12
	switch n := len(e.Known); {
	case n == 0:
		return fmt.Sprintf("no logs of %q, nor of anything else", e.What)
	case n > most:
		return fmt.Sprintf("no logs of %q; there are %d, of %s, ...", e.What, n, strings.Join(e.Known[:most], ", "))
	default:
		return fmt.Sprintf("no logs of %q; there are those of %s", e.What, strings.Join(e.Known, ", "))
	}
}

// Select returns the logs of the nodes that a selector selects; with one more
// segment it selects processes, too: "bj/*/l7-*/gateway". The error is *NotFound.
func Select(all []Log, what string) ([]Log, error) {
	out := matching(all, func(l Log) bool { return topology.Selector(what).Match(l.Node) })
	if len(out) == 0 {
		out = matching(all, func(l Log) bool { return topology.Selector(what).Match(topology.Ref(l.Name())) })
	}
	if len(out) > 0 {
		return out, nil
	}
	e := &NotFound{What: what}
	for _, l := range all {
		if !slices.Contains(e.Known, string(l.Node)) {
			e.Known = append(e.Known, string(l.Node))
		}
	}
	return nil, e
}

func matching(all []Log, yes func(Log) bool) []Log {
	return slices.DeleteFunc(slices.Clone(all), func(l Log) bool { return !yes(l) })
}
