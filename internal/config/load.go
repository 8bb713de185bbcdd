package config

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// maxFile bounds the configuration, and each file that it refers to.
const maxFile = 1 << 20

// Load reads the configuration file at path, with the process's environment. The
// error is [Errors] when the content is at fault.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	// Not readSmall: a configuration may well come from a pipe.
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, data, os.LookupEnv)
}

// Parse reads a configuration from data; name stands for the file in errors, and
// env looks up environment variables (nil: there are none). An error is [Errors],
// and then there is no Config.
//
// The files that keys name are opened to see that they can be read, but only
// those of ${file:…} references and of jq_file become part of the Config.
func Parse(name string, data []byte, env func(string) (string, bool)) (*Config, error) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	return parse(&reader{file: name, env: env, readFile: readSmall}, data)
}

func parse(r *reader, data []byte) (*Config, error) {
	root, err := document(r.file, data)
	if err != nil {
		return nil, err
	}
	c := Default()
	r.marks = make(map[string]mark)
	r.decode(root, c)
	r.derive(c)
	r.check(c)
	if err := r.errs.sorted(); err != nil {
		return nil, err
	}
	return c, nil
}

// readSmall reads a regular file of at most maxFile bytes. Anything else, such as
// a pipe that nobody writes to, could hold up the start for ever.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errors.New(path + " is larger than 1 MiB")
	}
	return data, err
}
