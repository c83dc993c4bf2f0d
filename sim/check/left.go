package check

import (
	"fmt"
	"strings"

	"github.com/unilb/unilb/sim/history"
)

// NothingLeft says that what was there after the lab was there before it:
// processes, namespaces, links, mounts, pinned eBPF objects, descriptors, files.
// It compares the censuses of the history; when one is missing, or looked at less
// than the other, it says Unknown.
func NothingLeft() Checker { return nothingLeft{} }

type nothingLeft struct{}

func (nothingLeft) Name() string { return "NothingLeft" }

func (c nothingLeft) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	switch {
	case h.Before == nil && h.After == nil:
		f.doubt("nobody counted what was there before the lab and after it")
	case h.Before == nil:
		f.doubt("nobody counted what was there before the lab")
	case h.After == nil:
		f.doubt("nobody counted what was there after the lab")
	case h.After.At <= h.Before.At:
		f.doubt("the census after the lab was not taken after the one before it")
	}
	if len(f.doubts) > 0 {
		return f.verdict(h, "")
	}
	f.Examined = h.Before.Len() + h.After.Len()
	left, unknown := h.Before.Left(*h.After)
	for _, l := range left {
		f.violation("", h.After.At, "left behind: %s", l)
	}
	f.Summary = fmt.Sprintf("%d things are left behind", len(left))
	if len(unknown) > 0 {
		var names []string
		for _, k := range unknown {
			names = append(names, string(k))
		}
		f.doubt("only one of the two censuses looked at: %s", strings.Join(names, ", "))
	}
	return f.verdict(h, fmt.Sprintf("as before: %s", h.After))
}
