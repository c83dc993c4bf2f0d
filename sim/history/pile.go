package history

// A pile is a slice that grows without moving what it holds: a recorder that
// copied hundreds of megabytes while everybody waits for it would show in the
// latencies that it records. The zero value is empty.
type pile[R any] struct {
	full [][]R
	top  []R
}

const pileBlock = 4096 // records

func (p *pile[R]) add(r R) {
	if len(p.top) == cap(p.top) {
		if len(p.top) > 0 {
			p.full = append(p.full, p.top)
		}
		p.top = make([]R, 0, pileBlock)
	}
	p.top = append(p.top, r)
}

func (p *pile[R]) len() int { return len(p.full)*pileBlock + len(p.top) }

// view is the pile as it is now. What is added later does not show in it, and
// what it holds never changes.
func (p *pile[R]) view() pile[R] { return pile[R]{full: p.full[:len(p.full):len(p.full)], top: p.top} }

// slice is a copy of all records; nil when there is none.
func (p *pile[R]) slice() []R { return p.after(0) }

// after is a copy of all records but the first n; nil when there is none.
func (p *pile[R]) after(n int) []R {
	if p.len() <= n {
		return nil
	}
	all := make([]R, 0, p.len()-n)
	for i, b := range p.full {
		if skip := n - i*pileBlock; skip < len(b) {
			all = append(all, b[max(0, skip):]...)
		}
	}
	return append(all, p.top[max(0, n-len(p.full)*pileBlock):]...)
}
