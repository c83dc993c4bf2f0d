package topology

import (
	"fmt"
	"strings"
)

// A LinkSelector selects links by the nodes that they join: "bj/az1/router--bj/az2/router",
// each side a Selector, in either order. Without "--" it selects every link that a
// selected node has. The zero value selects nothing.
type LinkSelector string

// sides are the two patterns; ok is false when there is one only.
func (s LinkSelector) sides() (a, b Selector, ok bool) {
	first, second, ok := strings.Cut(string(s), "--")
	return Selector(first), Selector(second), ok
}

// Match says whether the selector selects a link between the two nodes.
func (s LinkSelector) Match(a, b Ref) bool {
	one, other, ok := s.sides()
	if !ok {
		return one.Match(a) || one.Match(b)
	}
	return one.Match(a) && other.Match(b) || one.Match(b) && other.Match(a)
}

// Turned says that the selector names the side of b first, for a link that it
// matches; without "--" the selected node counts as named first. When either end
// may be the first one the link stays as it is.
func (s LinkSelector) Turned(a, b Ref) bool {
	one, other, ok := s.sides()
	if !ok {
		return !one.Match(a) && one.Match(b)
	}
	straight := one.Match(a) && other.Match(b)
	return !straight && one.Match(b) && other.Match(a)
}

// Check says whether the selector can select anything at all; see Selector.Check.
func (s LinkSelector) Check() error {
	one, other, ok := s.sides()
	if err := one.Check(); err != nil {
		return fmt.Errorf("link %q: %w", string(s), err)
	}
	if !ok {
		return nil
	}
	if err := other.Check(); err != nil {
		return fmt.Errorf("link %q: %w", string(s), err)
	}
	return nil
}
