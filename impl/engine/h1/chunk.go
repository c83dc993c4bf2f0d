package h1

// Limits of chunks.
const (
	// MaxChunkDigits keeps a size below 2^60 bytes.
	MaxChunkDigits = 15
	// MaxChunkLine bounds the line of a chunk size with its extensions, in bytes.
	MaxChunkLine = 4 << 10
	// MaxChunkExcess bounds how many bytes of framing a body may have beyond 16
	// for each chunk and two for each byte of data: a client shall not keep us
	// busy with extensions, but may send one byte at a time.
	MaxChunkExcess = 16 << 10
)

// nextChunk is Next within chunks. It goes on over the framing behind data, so
// that the end of a message is seen when its bytes are there.
func (d *Body) nextChunk(b []byte) (data []byte, n int, done bool, err error) {
	for n < len(b) {
		switch d.step {
		case inData:
			if data != nil {
				return data, n, false, nil
			}
			k := int(min(d.left, int64(len(b)-n)))
			data = b[n : n+k]
			n += k
			if d.left -= int64(k); d.left == 0 {
				d.step = inDataCR
			}
		case inTrailers:
			k, done, bad := d.tail.take(b[n:])
			n += k
			if bad != NoReason {
				return data, n, false, Malformed{bad, 0}
			}
			if done {
				d.step = atEnd
				return data, n, true, nil
			}
		default:
			if bad := d.frame(b[n]); bad != NoReason {
				return data, n, false, Malformed{bad, 0}
			}
			n++
		}
	}
	return data, n, false, nil
}

// frame takes one byte between data and data.
func (d *Body) frame(c byte) Reason {
	switch d.step {
	case inDataCR:
		d.step = inDataLF
		if c != '\r' {
			return ReasonChunkEnd
		}
		return NoReason
	case inDataLF:
		d.step, d.digits, d.line = inSize, 0, 0
		if c != '\n' {
			return ReasonChunkEnd
		}
		return NoReason
	case inLineEnd:
		if c != '\n' {
			return ReasonChunkLine
		}
		return d.chunkBegins()
	}
	if d.line++; d.line >= MaxChunkLine {
		return ReasonChunkOverhead
	}
	if d.step == inSize {
		return d.size(c)
	}
	return d.extension(c)
}

// size takes a byte of a chunk size, or the first behind it.
func (d *Body) size(c byte) Reason {
	var digit byte
	switch {
	case c-'0' <= 9:
		digit = c - '0'
	case (c|0x20)-'a' <= 5:
		digit = (c | 0x20) - 'a' + 10
	case d.digits == 0:
		return ReasonChunkSize
	case c == '\r', c == ';':
		return d.between(c)
	case c == ' ', c == '\t', c == '\n': // RFC 9112 would have us take blanks before ";"; net/http does not
		return ReasonChunkLine
	default:
		return ReasonChunkSize
	}
	if d.digits++; d.digits > MaxChunkDigits {
		return ReasonChunkSize
	}
	d.left = d.left<<4 | int64(digit)
	return NoReason
}

// extension takes a byte of the extensions of a chunk, which are read by the
// grammar of RFC 9112 7.1.1 and dropped:
//
//	chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
func (d *Body) extension(c byte) Reason {
	blank := c == ' ' || c == '\t'
	switch d.step {
	case inExtBlank: // behind a blank only the next extension
		if blank || c == ';' {
			return d.between(c)
		}
	case inExtEnd:
		return d.between(c)
	case inExtNameBegin:
		if has(c, inToken) {
			d.step = inExtName
		}
		if blank || d.step == inExtName {
			return NoReason
		}
	case inExtName, inExtNameBlank:
		switch {
		case d.step == inExtName && has(c, inToken):
			return NoReason
		case c == '=':
			d.step = inExtValueBegin
			return NoReason
		case blank:
			d.step = inExtNameBlank
			return NoReason
		case c == ';', c == '\r' && d.step == inExtName:
			return d.between(c)
		}
	case inExtValueBegin:
		switch {
		case blank:
			return NoReason
		case c == '"':
			d.step = inExtQuoted
			return NoReason
		case has(c, inToken):
			d.step = inExtValue
			return NoReason
		}
	case inExtValue:
		if has(c, inToken) {
			return NoReason
		}
		return d.between(c)
	default:
		return d.quoted(c)
	}
	return ReasonChunkLine
}

func (d *Body) quoted(c byte) Reason {
	switch {
	case d.step == inExtEscape && has(c, inValue):
		d.step = inExtQuoted
	case d.step == inExtEscape:
		return ReasonChunkLine
	case c == '"':
		d.step = inExtEnd
	case c == '\\':
		d.step = inExtEscape
	case !has(c, inQuoted):
		return ReasonChunkLine
	}
	return NoReason
}

// between takes the byte behind a size or an extension.
func (d *Body) between(c byte) Reason {
	switch c {
	case '\r':
		d.step = inLineEnd
	case ';':
		d.step = inExtNameBegin
	case ' ', '\t':
		d.step = inExtBlank
	default:
		return ReasonChunkLine
	}
	return NoReason
}

// chunkBegins is behind the line of a size. The account of framing is that of
// net/http, so that neither of us refuses what the other takes.
func (d *Body) chunkBegins() Reason {
	d.excess += int64(d.line-1) + 2 - 16 - 2*d.left
	if d.excess = max(d.excess, 0); d.excess > MaxChunkExcess {
		return ReasonChunkOverhead
	}
	d.step = inData
	if d.left == 0 {
		d.step = inTrailers
	}
	return NoReason
}
