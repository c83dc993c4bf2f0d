package topology

import (
	"fmt"
	"strings"
)

// A Ref names one node of a lab. Segments are separated by slashes:
//
//	bj/edge           the edge router of region bj
//	bj/az1/l7-2       the second gateway of AZ az1
//	idc/bj/blue-1     the first host of IDC pool blue in region bj
//	vpc/shop/web-1    the first guest "web" of VPC shop
//	client/inet-3     the third client "inet"
//
// The zero value names nothing.
type Ref string

// Name is the last segment: "l7-2" of "bj/az1/l7-2".
func (r Ref) Name() string {
	return string(r)[strings.LastIndexByte(string(r), '/')+1:]
}

// A Selector is a glob over Refs. A star stands for any characters inside one
// segment, two stars as a whole segment for any number of segments, none
// included: "bj/az1/**" is everything of AZ az1, "bj/*/l7-*" every gateway of
// region bj, "**" everything. The zero value selects nothing.
type Selector string

// Match says whether the selector selects r. Its cost is bounded by the
// product of both lengths, whatever the pattern.
func (s Selector) Match(r Ref) bool {
	if s == "" || r == "" {
		return false
	}
	return matchSegments(strings.Split(string(s), "/"), strings.Split(string(r), "/"))
}

// Check says whether the selector can select anything at all: it has only
// characters that names have, stars and slashes, and no empty segment.
func (s Selector) Check() error {
	if s == "" {
		return fmt.Errorf("empty selector; \"**\" selects everything")
	}
	for seg := range strings.SplitSeq(string(s), "/") {
		if seg == "" {
			return fmt.Errorf("selector %q has an empty segment", string(s))
		}
		if seg != "**" && strings.Contains(seg, "**") {
			return fmt.Errorf("selector %q: ** must stand alone between slashes", string(s))
		}
		for _, c := range []byte(seg) {
			if c != '*' && c != '-' && !isAlnum(c) {
				return fmt.Errorf("selector %q: a selector has a-z, 0-9, \"-\", \"*\" and \"/\"", string(s))
			}
		}
	}
	return nil
}

// matchSegments matches whole segments. Going back to the last ** only is
// enough: a match that an earlier ** could take, the last one can take too.
func matchSegments(pattern, ref []string) bool {
	p, r, star, resume := 0, 0, -1, 0
	for r < len(ref) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, resume = p, r
			p++
		case p < len(pattern) && matchSegment(pattern[p], ref[r]):
			p++
			r++
		case star >= 0:
			resume++
			p, r = star+1, resume
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

// matchSegment is the same walk over the bytes of one segment.
func matchSegment(pattern, s string) bool {
	p, i, star, resume := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			resume++
			p, i = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func isAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
