package strict

import (
	"reflect"
	"strings"
)

// A Source remembers where each value of a decoded file was written. A nil Source
// is that of values that were made in Go: they have no place.
type Source struct {
	file   string
	at     map[string]place  // by path: "regions.bj.azs.az1", "guests[0].ip"
	chosen map[string]chosen // by path of the union
	bad    []string          // paths whose value could not be read: nothing more is said about them
	format Format
}

// chosen is which word a union was written as.
type chosen struct {
	name  string
	value reflect.Value // what Union.Variant points to
}

// Has says whether the file gives a value for the path: "steps[3].inject".
func (s *Source) Has(path string) bool {
	if s == nil {
		return false
	}
	_, ok := s.at[path]
	return ok
}

// Doubtful says whether a problem at the path may be nothing but the consequence
// of a value that could not be read: the same, one around it or one within.
func (s *Source) Doubtful(path string) bool {
	if s == nil {
		return false
	}
	for _, bad := range s.bad {
		if within(path, bad) || within(bad, path) {
			return true
		}
	}
	return false
}

// Place is where the value is written, line and column from 1, or, when it is
// not, the nearest value around it. Both are 0 for what has no place in a file,
// such as an override; file is what an Error calls it.
func (s *Source) Place(path string) (file string, line, col int) {
	at := s.place(path)
	return at.file, at.line, at.col
}

func (s *Source) place(path string) place {
	if s == nil {
		return place{}
	}
	for {
		if at, ok := s.at[path]; ok {
			return at
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			return place{s.file, 1, 1}
		}
		path = path[:cut]
	}
}

// within says whether path is outer or lies in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Shorten bounds foreign text in a message to 64 bytes.
func Shorten(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
