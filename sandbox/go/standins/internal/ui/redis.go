// A small Redis client (RESP2): one connection, opened again after any failure, AUTH where a password is set.

package ui

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

type redis struct {
	address, password string
	mutex             sync.Mutex
	conn              net.Conn
	reader            *bufio.Reader
}

type redisError string

func (e redisError) Error() string { return string(e) }

// do sends one command. A broken connection is opened anew once, so that a restart of Redis goes unnoticed.
func (r *redis) do(args ...string) (any, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for attempt := 0; ; attempt++ {
		value, err := r.once(args)
		var answered redisError
		if err == nil || errors.As(err, &answered) && attempt == 0 && r.conn != nil {
			return value, err
		}
		r.close()
		if attempt == 1 {
			return nil, err
		}
	}
}

func (r *redis) close() {
	if r.conn != nil {
		r.conn.Close()
	}
	r.conn = nil
}

func (r *redis) once(args []string) (any, error) {
	if r.conn == nil {
		conn, err := net.DialTimeout("tcp", r.address, 3*time.Second)
		if err != nil {
			return nil, err
		}
		r.conn, r.reader = conn, bufio.NewReader(conn)
		if r.password != "" {
			if _, err := r.roundTrip([]string{"AUTH", r.password}); err != nil {
				r.close()
				return nil, fmt.Errorf("AUTH: %w", err)
			}
		}
	}
	return r.roundTrip(args)
}

func (r *redis) roundTrip(args []string) (any, error) {
	if err := r.conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	request := "*" + strconv.Itoa(len(args)) + "\r\n"
	for _, a := range args {
		request += "$" + strconv.Itoa(len(a)) + "\r\n" + a + "\r\n"
	}
	if _, err := io.WriteString(r.conn, request); err != nil {
		return nil, err
	}
	return r.read()
}

func (r *redis) read() (any, error) {
	line, err := r.reader.ReadString('\n')
	if err != nil || len(line) < 3 {
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	kind, text := line[0], line[1:len(line)-2]
	switch kind {
	case '+':
		return text, nil
	case '-':
		return nil, redisError(text)
	case ':':
		return strconv.ParseInt(text, 10, 64)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return nil, err
	}
	switch kind {
	case '$':
		b := make([]byte, n+2)
		_, err := io.ReadFull(r.reader, b)
		return string(b[:n]), err
	case '*':
		out := make([]any, n)
		for i := range out {
			if out[i], err = r.read(); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("unexpected answer of Redis: %q", line)
}
