package store

// Reachable tells whether every Watch that runs hears from a member now. It needs up
// to five seconds to notice a silent one; with no Watch it is true.
func (s *Store) Reachable() bool { return s.deaf.Load() == 0 }

// hears notes whether the watch hears from a member.
func (w *watch) hears(yes bool) {
	if w.hearing == yes {
		return
	}
	w.hearing = yes
	if yes {
		w.s.deaf.Add(-1)
	} else {
		w.s.deaf.Add(1)
	}
}

// endDeaf forgets a watch that ends.
func (w *watch) endDeaf() {
	if !w.hearing {
		w.s.deaf.Add(-1)
	}
}
