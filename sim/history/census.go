package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Census is what one process could see of its machine at one moment: the things
// of each kind that was looked at. A kind that is present without things was looked
// at and there were none; a kind that is absent was not looked at.
type Census struct {
	At     time.Duration    `json:"at"`
	Things map[Kind][]Thing `json:"things"`
}

// A Kind is what sort of thing a census counts.
type Kind string

// The kinds.
const (
	Processes  Kind = "process"
	Namespaces Kind = "netns" // network namespaces that a process, a thread, a descriptor or a mount holds
	Links      Kind = "link"  // network devices in the namespace of the census taker
	Mounts     Kind = "mount"
	Pins       Kind = "bpf" // programs, maps and links that are pinned
	FDs        Kind = "fd"  // of the census taker
	Files      Kind = "file"
)

// A Thing is one thing, or several that cannot be told apart.
type Thing struct {
	ID    string `json:"id"`             // what makes it this thing; equal in two censuses when it is the same one
	Text  string `json:"text,omitempty"` // for people; empty: the ID says it all
	Count int    `json:"count,omitempty"`
}

func (t Thing) count() int { return max(1, t.Count) }

// String is the thing in a few words.
func (t Thing) String() string { return cmp.Or(t.Text, t.ID) }

// Left lists what is there in the later census and was not in this one, kind by
// kind: "process: 41 sleep 1000". It also names the kinds that only one of the two
// looked at; nothing is known about those.
func (c Census) Left(later Census) (left []string, unknown []Kind) {
	kinds := map[Kind]bool{}
	for k := range c.Things {
		kinds[k] = true
	}
	for k := range later.Things {
		kinds[k] = true
	}
	for k := range kinds {
		was, looked := c.Things[k]
		is, lookedAgain := later.Things[k]
		if !looked || !lookedAgain {
			unknown = append(unknown, k)
			continue
		}
		left = append(left, appeared(k, was, is)...)
	}
	slices.Sort(unknown)
	slices.Sort(left)
	return left, unknown
}

func appeared(k Kind, was, is []Thing) []string {
	before, after, text := map[string]int{}, map[string]int{}, map[string]string{}
	for _, t := range was {
		before[t.ID] += t.count()
	}
	for _, t := range is {
		after[t.ID] += t.count()
		text[t.ID] = t.String()
	}
	var out []string
	for id, n := range after {
		switch more := n - before[id]; {
		case more <= 0:
		case n == 1:
			out = append(out, fmt.Sprintf("%s: %s", k, text[id]))
		default:
			out = append(out, fmt.Sprintf("%s: %s (%d more, %d before)", k, text[id], more, before[id]))
		}
	}
	return out
}

// Len is the number of things.
func (c Census) Len() int {
	n := 0
	for _, ts := range c.Things {
		for _, t := range ts {
			n += t.count()
		}
	}
	return n
}

// String is the count of each kind.
func (c Census) String() string {
	var parts []string
	for k, ts := range c.Things {
		parts = append(parts, fmt.Sprintf("%s %d", k, Census{Things: map[Kind][]Thing{k: ts}}.Len()))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
