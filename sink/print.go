package sink

import "fmt"

// Format prints the address, but neither the key nor the proxy's password.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "sink.Config(%s)", c.BaseURL) }

// Format does so for the sink.
func (s *Sink) Format(f fmt.State, _ rune) { fmt.Fprint(f, "sink.Sink") }
