package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"google.golang.org/protobuf/encoding/protowire"
)

// connectServerVerb is what this program is called with by the judge of Connect, as the
// server that it tests.
const connectServerVerb = "connect-server"

// maxMessage bounds what judge and server say to each other, in bytes.
const maxMessage = 1 << 20

// Fields of the judge's ServerCompatRequest and ServerCompatResponse.
const (
	fieldVersion = 2 // of HTTP, in the request
	fieldHost    = 1 // in the response
	fieldPort    = 2
)

// connectServer is the judge's own server behind a gateway. The judge says on stdin what
// it wants, and is answered where that is.
func connectServer(ctx context.Context, args []string) error {
	var o options
	f := flag.NewFlagSet(connectServerVerb, flag.ContinueOnError)
	out := f.String("out", "", "folder with the judges, for logs")
	scheme := f.String("targets", "", "scheme of the server; empty: by the version that clients speak")
	f.StringVar(&o.bin, "bin", "", "folder with l7gw")
	f.StringVar(&o.engine, "engine", engineLoop, "of the gateway")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(*out, "connect-server-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.log = filepath.Join(dir, "l7gw.log")
	request, err := receive(os.Stdin)
	if err != nil {
		return fmt.Errorf("read what the judge wants: %w", err)
	}
	switch *scheme {
	case "":
		*scheme = "http"
		if n, err := number(request, fieldVersion); err != nil || n == 2 {
			*scheme = "grpc"
		}
	case "grpc": // the server shall speak HTTP/2, whatever clients do: what is appended holds
		request = protowire.AppendVarint(protowire.AppendTag(request, fieldVersion, protowire.VarintType), 2)
	}
	server, err := startReference(filepath.Join(*out, "referenceserver"), request)
	if err != nil {
		return err
	}
	defer server.stop()
	gw, err := startGateway(ctx, o, target{address: server.address, scheme: *scheme})
	if err != nil {
		return err
	}
	answer := protowire.AppendString(protowire.AppendTag(nil, fieldHost, protowire.BytesType), "127.0.0.1")
	answer = protowire.AppendVarint(protowire.AppendTag(answer, fieldPort, protowire.VarintType), uint64(gw.plain))
	err = send(os.Stdout, answer)
	if err == nil {
		<-ctx.Done() // the judge sends SIGTERM
	}
	return errors.Join(err, gw.stop())
}

// reference is the judge's own server.
type reference struct {
	cmd     *exec.Cmd
	address string
}

func startReference(path string, request []byte) (*reference, error) {
	r := &reference{cmd: exec.Command(path)}
	r.cmd.Stderr = os.Stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // of the thread, which main keeps
	in, err := r.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	err = send(in, request)
	var answer []byte
	if err == nil {
		answer, err = receive(out)
	}
	var port uint64
	if err == nil {
		port, err = number(answer, fieldPort)
	}
	if err != nil {
		r.stop()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	r.address = local(int(port))
	return r, nil
}

func (r *reference) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // it fails when it has ended
	_ = r.cmd.Wait()                          // by the signal
}

// Messages are preceded by their length in four bytes.

func receive(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxMessage {
		return nil, fmt.Errorf("message of %d bytes, want at most %d", n, maxMessage)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

func send(w io.Writer, message []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	return err
}

// number is a field of a message in the form of protocol buffers; 0 when it has none.
func number(message []byte, field protowire.Number) (found uint64, err error) {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return 0, protowire.ParseError(n)
		}
		message = message[n:]
		if num == field && kind == protowire.VarintType {
			if found, n = protowire.ConsumeVarint(message); n < 0 {
				return 0, protowire.ParseError(n)
			}
		} else if n = protowire.ConsumeFieldValue(num, kind, message); n < 0 {
			return 0, protowire.ParseError(n)
		}
		message = message[n:]
	}
	return found, nil
}
