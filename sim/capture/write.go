package capture

import (
	"cmp"
	"io"
	"slices"
)

// Write merges what the rings keep into one pcapng, by time. Each ring is an
// interface with the name of its link, times are in nanoseconds, the direction of a
// packet is in its flags and the note in its comment. How many frames were on a
// link, and how many of them are not in the file, is in the statistics of its
// interface. Rings may go on filling meanwhile; the memory of all of them is needed
// once more.
func Write(w io.Writer, rings ...*Ring) error {
	var (
		frames []kept
		counts []tally
	)
	for i, r := range rings {
		of, t := r.snapshot()
		for j := range of {
			of[j].link = i
		}
		frames, counts = append(frames, of...), append(counts, t)
	}
	slices.SortStableFunc(frames, func(a, b kept) int { return cmp.Compare(a.at, b.at) })

	out, err := newWriter(w, names(rings))
	if err != nil {
		return err
	}
	for _, f := range frames {
		if err := out.packet(f.link, epoch.Add(f.at), f.direction, f.note, f.data, int(f.length)); err != nil {
			return err
		}
	}
	return out.end(counts)
}

func names(rings []*Ring) []string {
	var out []string
	for _, r := range rings {
		out = append(out, r.name)
	}
	return out
}
