package hamt

// Inserted returns a copy with x at i, of no more memory than it needs.
func Inserted[T any](all []T, i int, x T) []T {
	out := make([]T, len(all)+1)
	copy(out, all[:i])
	out[i] = x
	copy(out[i+1:], all[i:])
	return out
}

// Removed returns a copy without the one at i; nil: there was no other.
func Removed[T any](all []T, i int) []T {
	if len(all) == 1 {
		return nil
	}
	out := make([]T, len(all)-1)
	copy(out, all[:i])
	copy(out[i:], all[i+1:])
	return out
}
