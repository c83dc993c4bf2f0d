package strict

import (
	"fmt"
	"strings"
)

// nearest returns the word that was probably meant by got: at most a third of
// its letters (at least one, at most three) wrong, missing, added or swapped with
// their neighbour.
func nearest(got string, words []string) string {
	best, bestDist := "", min(max(len(got)/3, 1), 3)+1
	for _, w := range words {
		if d := distance(strings.ToLower(got), strings.ToLower(w)); d < bestDist {
			best, bestDist = w, d
		}
	}
	return best
}

// Nearest is DidYouMean for whoever lists the known words anyhow.
func Nearest(got string, known []string) string { return suggest(got, known, 0) }

// DidYouMean is the end of a message about an unknown word: the nearest of the
// known ones, or all of them when none is near and they are few; or empty.
func DidYouMean(got string, known []string) string { return suggest(got, known, 12) }

// suggest is DidYouMean with the number of words that are few.
func suggest(got string, known []string, few int) string {
	if w := nearest(got, known); w != "" {
		return fmt.Sprintf(" (did you mean %q?)", w)
	}
	if len(known) == 0 || len(known) > few {
		return ""
	}
	return fmt.Sprintf(" (known: %s)", strings.Join(known, ", "))
}

// distance is the number of edits (insert, delete, replace, swap neighbours)
// between two words, over at most 64 bytes of each.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := btoi(a[i-1] != b[j-1])
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
