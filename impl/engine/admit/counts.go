package admit

// Counts returns the connections that are in now, and how many have found room, and
// none, since the start.
func (r *Room) Counts() (open, accepted, refused int64) {
	return r.taken.Load(), r.came.Load(), r.turned.Load()
}
