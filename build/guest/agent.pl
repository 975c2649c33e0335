# The sample guest's agent: one request a line on a virtio-serial port, one answer a line.
#   request:  ID VERB key=value …        (values percent-encoded)
#   answer:   ID ok key=value …  |  ID err what=…
# Test and demonstration work only: memory to fill, disk ranges to write and hash, a writer that can be checked.
use strict;
use warnings;
use Fcntl qw(O_RDWR O_RDONLY SEEK_SET);
use IO::Handle;
use POSIX ();

my $path = shift @ARGV;
open(my $port, '+<', $path) or die "port: $!";
binmode $port;
my @hogs;
my ($writer, $writer_args);
my $load;
my $ack_file = '/run/writer.ack';
my $load_file = '/run/load';

sub encode { my $s = shift; $s =~ s/([^A-Za-z0-9_.:\/,-])/sprintf '%%%02X', ord $1/ge; $s }
sub decode { my $s = shift; $s =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge; $s }
sub slurp { my $f = shift; open(my $h, '<', $f) or return ''; local $/; my $t = <$h>; $t // '' }
sub uptime { (split ' ', slurp('/proc/uptime'))[0] }

# xorshift32: small, seeded, the same everywhere.
sub generator { my $s = (shift) | 1; sub { $s ^= ($s << 13) & 0xffffffff; $s ^= $s >> 17; $s ^= ($s << 5) & 0xffffffff; $s } }

# Content is a function of seed and position, different in every 4 KiB.
sub content { my ($seed, $offset, $length) = @_;
  my $out = '';
  for (my $at = 0; $at < $length; $at += 4096) {
    my $head = sprintf 'EBB %08x %016x ', $seed, $offset + $at;
    $out .= substr($head x (4096 / length($head) + 1), 0, 4096);
  }
  substr $out, 0, $length }

sub with_disk { my ($device, $mode, $work) = @_;
  sysopen(my $disk, $device, $mode) or die "$device: $!\n";
  binmode $disk;
  my @out = $work->($disk);
  close $disk or die "$device: $!\n";
  @out }
sub put { my ($disk, $offset, $data) = @_;
  sysseek($disk, $offset, SEEK_SET) // die "seek: $!\n";
  my $done = 0;
  while ($done < length $data) { $done += syswrite($disk, $data, length($data) - $done, $done) // die "write: $!\n" } }

my %verbs = (
  ping => sub { (uptime => uptime()) },
  meminfo => sub { map { /^(\w+):\s+(\d+)/ ? ($1 => $2) : () } split /\n/, slurp('/proc/meminfo') },
  psi => sub { my ($some) = slurp('/proc/pressure/memory') =~ /some avg10=([\d.]+)/; (some => $some // 0) },
  alloc => sub { my %a = @_;
    pipe(my $r, my $w) or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) { close $r; my $hog = "\x5a\xa5" x ($a{mib} << 19); syswrite $w, 'x'; close $w; sleep 1 while 1 }
    close $w; my $ok = sysread $r, my $b, 1; close $r;
    die "the guest could not allocate $a{mib} MiB\n" unless $ok;
    push @hogs, $pid; (mib => $a{mib}) },
  free => sub { kill 9, @hogs; waitpid $_, 0 for @hogs; my $n = @hogs; @hogs = ();
    if (open my $h, '>', '/proc/sys/vm/drop_caches') { print $h "3\n" } (freed => $n) },
  # A program that needs trace[second] MiB (comma-separated) and touches `rate` of them each quarter of a second; killed
  # for want of memory it begins anew where the trace is by then.
  'load-start' => sub { my %a = @_; die "a load runs\n" if $load;
    my ($began, @trace) = (now(), split /,/, $a{trace});
    $load = fork // die "fork: $!\n";
    if (!$load) { my $tick = 0;
      while ($tick < 4 * @trace) { my $pid = fork;
        if (!defined $pid) { select undef, undef, undef, 1; next }
        if (!$pid) { load_loop($began, $a{rate}, @trace); POSIX::_exit(0) }
        waitpid $pid, 0; last if $? == 0; select undef, undef, undef, 1; $tick = int((now() - $began) / 250) }
      POSIX::_exit(0) } () },
  'load-report' => sub { my ($done, $asked) = split ' ', (slurp($load_file) || '0 0');
    (done => $done, asked => $asked, vmstat(), psi_total()) },
  write => sub { my %a = @_; with_disk($a{dev}, O_RDWR, sub { my $d = shift;
      my ($at, $end) = ($a{offset}, $a{offset} + $a{length});
      while ($at < $end) { my $n = $end - $at; $n = 1048576 if $n > 1048576; put($d, $at, content($a{seed}, $at, $n)); $at += $n }
      $d->sync or die "fsync: $!\n" if ($a{sync} // 1);
      (bytes => $a{length}) }) },
  # Scattered runs of 4–64 KiB inside [offset, offset+span), about `bytes` in all.
  scatter => sub { my %a = @_; with_disk($a{dev}, O_RDWR, sub { my $d = shift;
      my $next = generator($a{seed}); my ($done, $runs) = (0, 0);
      while ($done < $a{bytes}) { my $n = (1 + $next->() % 16) * 4096;
        my $at = $a{offset} + ($next->() % (($a{span} - $n) / 4096)) * 4096;
        put($d, $at, content($a{seed}, $at, $n)); $done += $n; $runs++ }
      $d->sync or die "fsync: $!\n";
      (bytes => $done, runs => $runs) }) },
  # Past the page cache, so that it is the disk that is hashed.
  hash => sub { my %a = @_; my $n = $a{length} / 1048576; my $skip = $a{offset} / 1048576;
    die "offset and length in MiB\n" if $n != int $n || $skip != int $skip;
    my $algorithm = $a{algorithm} // 'sha256';
    return (units => units_hash($a{dev}, $a{offset}, $a{length})) if $algorithm eq 'units';
    die "algorithm sha256 or units\n" if $algorithm ne 'sha256';
    my ($sum) = split ' ', `dd if=$a{dev} bs=1048576 skip=$skip count=$n iflag=direct 2>/dev/null | ${algorithm}sum`;
    ($algorithm => $sum) },
  trim => sub { my %a = @_; system('blkdiscard', '-o', $a{offset}, '-l', $a{length}, $a{dev}) == 0 or die "blkdiscard failed\n"; () },
  size => sub { my %a = @_; my ($name) = $a{dev} =~ m{([^/]+)$}; (bytes => 512 * (slurp("/sys/block/$name/size") || 0)) },
  # One 4 KiB record a write, each followed by fsync; the acknowledged number is noted after the fsync returned.
  'writer-start' => sub { my %a = @_; die "a writer runs\n" if $writer;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) { writer_loop(%a); POSIX::_exit(0) }
    ($writer, $writer_args) = ($pid, { %a }); (pid => $pid) },
  'writer-stop' => sub { die "no writer\n" unless $writer; kill 15, $writer; waitpid $writer, 0; $writer = undef; acks() },
  'writer-report' => sub { acks() },
  'writer-verify' => sub { my %a = (%{ $writer_args // die "no writer was started\n" }); my %r = acks(); my $bad = 0;
    system 'sync'; if (open my $h, '>', '/proc/sys/vm/drop_caches') { print $h "3\n" }
    with_disk($a{dev}, O_RDONLY, sub { my $d = shift;
      for my $slot (0 .. $a{slots} - 1) {
        next if $r{acked} <= $slot;
        my $last = $r{acked} - 1 - (($r{acked} - 1 - $slot) % $a{slots});
        sysseek $d, $a{offset} + $slot * 4096, SEEK_SET; sysread $d, my $block, 4096;
        my ($n) = $block =~ /^EBBW (\d+) /; $bad++ if !defined $n || $n < $last } () });
    (%r, bad => $bad) },
  sh => sub { my %a = @_; my $out = `( $a{cmd} ) 2>&1 </dev/null`; (status => $? >> 8, out => substr($out, 0, 65536)) },
  poweroff => sub { system 'sync'; after(sub { system 'poweroff', '-f' }); () },
  reboot => sub { system 'sync'; after(sub { system 'reboot', '-f' }); () },
  panic => sub { after(sub { if (open my $h, '>', '/proc/sysrq-trigger') { print $h "c\n" } }); () },
);
sub after { my $work = shift; my $pid = fork // return; if (!$pid) { select undef, undef, undef, 0.2; $work->(); POSIX::_exit(0) } }

# The 32-bit sum of each 4 KiB, MD5 of those: a third of the time MD5 of everything takes under TCG.
sub units_hash { my ($dev, $at, $length) = @_; my $list = '/tmp/units';
  system 'sync'; if (open my $h, '>', '/proc/sys/vm/drop_caches') { print $h "3\n" }
  open my $out, '>', $list or die "$list: $!\n"; binmode $out;
  with_disk($dev, O_RDONLY, sub { my $d = shift; sysseek $d, $at, SEEK_SET;
    for (my $left = $length; $left > 0;) { my $n = sysread $d, my $block, $left < 1048576 ? $left : 1048576;
      die "read: $!\n" if !$n; $left -= $n;
      print $out join '', map { pack "V", unpack '%32V*', $_ } unpack '(a4096)*', $block } () });
  close $out; my ($sum) = split ' ', `md5sum $list`; unlink $list; $sum }
sub vmstat { map { /^(pswpin|pswpout|oom_kill) (\d+)/ ? ($1 => $2) : () } split /\n/, slurp('/proc/vmstat') }
# Microseconds in which some program waited for memory.
sub psi_total { my ($us) = slurp('/proc/pressure/memory') =~ /some .*total=(\d+)/; (stalledUs => $us // 0) }
sub load_loop { my ($began, $rate, @trace) = @_; my @held; my $next = generator(1);
  my ($done, $before) = split ' ', (slurp($load_file) || '0 0');
  for (;;) { my $tick = int((now() - $began) / 250); last if $tick >= 4 * @trace;
    my $want = $trace[int($tick / 4)];
    $#held = $want - 1 if @held > $want;
    # 80 MiB a second at most.
    for (1 .. 20) { last if @held >= $want; push @held, "\x5a\xa5" x 524288 }
    for (1 .. $rate) { last if !@held || now() >= $began + 250 * ($tick + 1);
      my $i = $next->() % @held; for (my $at = 0; $at < 1048576; $at += 4096) { substr($held[$i], $at, 1) = 'y' } $done++ }
    if (open my $h, '>', $load_file) { print $h "$done ", $rate * ($tick + 1), "\n"; close $h }
    my $left = $began + 250 * ($tick + 1) - now(); select undef, undef, undef, $left / 1000 if $left > 0 } }
sub acks { my ($n, $longest) = split ' ', (slurp($ack_file) || '0 0'); (acked => $n // 0, longestMs => $longest // 0) }
sub now { my ($u) = split ' ', slurp('/proc/uptime'); $u * 1000 }
sub writer_loop { my %a = @_; my $stop = 0; local $SIG{TERM} = sub { $stop = 1 };
  my ($n, $longest) = (0, 0);
  with_disk($a{dev}, O_RDWR, sub { my $d = shift;
    while (!$stop) { my $began = now();
      put($d, $a{offset} + ($n % $a{slots}) * 4096, substr(sprintf("EBBW %d ", $n) . ('w' x 4096), 0, 4096));
      $d->sync or POSIX::_exit(1); $n++;
      my $took = now() - $began; $longest = $took if $took > $longest;
      if (open my $h, '>', "$ack_file.new") { print $h "$n $longest\n"; close $h; rename "$ack_file.new", $ack_file }
      select undef, undef, undef, ($a{pauseMs} // 2) / 1000 } () }) }

# Of QEMU's guest agent as much as is asked of it: files that are read, file systems that are frozen, the clock. In a process of its own, so that it
# answers while this one works.
sub serve_qga { my $path = shift; my ($held, $next, %texts) = ('', 1000);
  open(my $qga, '+<', $path) or return; binmode $qga;
  while (1) {
    if (!sysread $qga, $held, 4096, length $held) { select undef, undef, undef, 0.1; next }
    while ($held =~ s/^([^\n]*)\n//) { my $line = $1; my $sync = $line =~ s/^.*\xff//s;
      my ($verb) = $line =~ /"execute":"([\w-]+)"/ or next;
      my ($handle) = $line =~ /"handle":(\d+)/; my $out;
      if ($verb =~ /^guest-sync/) { my ($id) = $line =~ /"id":(\d+)/; $out = qq({"return": $id}) }
      elsif ($verb eq 'guest-file-open') { my ($file) = $line =~ /"path":"([^"\\]*)"/; my $text = slurp($file // '');
        if ($text eq '') { $out = '{"error": {"class": "GenericError", "desc": "no such file"}}' }
        else { $texts{++$next} = $text; $out = qq({"return": $next}) } }
      elsif ($verb eq 'guest-file-read' && defined $texts{$handle}) { my ($n) = $line =~ /"count":(\d+)/;
        my $text = substr $texts{$handle}, 0, $n;
        $out = sprintf '{"return": {"count": %d, "buf-b64": "%s", "eof": true}}', length $text, base64($text) }
      elsif ($verb eq 'guest-fsfreeze-freeze') { $out = sprintf '{"return": %d}', freeze(0xC0045877) }
      elsif ($verb eq 'guest-fsfreeze-thaw') { $out = sprintf '{"return": %d}', freeze(0xC0045878) }
      elsif ($verb eq 'guest-set-time') { my ($s) = $line =~ /"time":(\d+)\d{9}\b/; my $done = defined $s && system('date', '-s', "\@$s") == 0;
        $out = $done ? '{"return": {}}' : '{"error": {"class": "GenericError", "desc": "no such time"}}' }
      elsif ($verb eq 'guest-get-host-name') { chomp(my $n = slurp('/proc/sys/kernel/hostname')); $out = qq({"return": {"host-name": "$n"}}) }
      elsif ($verb eq 'guest-shutdown') { system 'sync'; system 'poweroff', '-f'; next }
      elsif ($verb eq 'guest-file-close') { delete $texts{$handle}; $out = '{"return": {}}' }
      else { $out = '{"error": {"class": "CommandNotFound", "desc": "not here"}}' }
      syswrite $qga, ($sync ? "\xff" : '') . "$out\n" } } }
# FIFREEZE, FITHAW: of how many file systems on disks.
sub freeze { my $request = shift; my $n = 0;
  for (split /\n/, slurp('/proc/mounts')) { my ($dev, $at) = split ' '; next if $dev !~ m{^/dev/};
    sysopen(my $h, $at, O_RDONLY) or next; $n++ if ioctl($h, $request, 0) }
  $n }
sub base64 { my $text = shift; my $out = '';
  for (my $at = 0; $at < length $text; $at += 45) { my $u = substr pack('u', substr $text, $at, 45), 1; chomp $u; $out .= $u }
  $out =~ tr#` -_#AA-Za-z0-9+/#; my $pad = (3 - length($text) % 3) % 3; substr($out, -$pad) = '=' x $pad if $pad; $out }
sub qga_port { for my $dir (glob '/sys/class/virtio-ports/*') { return '/dev/' . ($dir =~ s{.*/}{}r) if slurp("$dir/name") =~ /^org\.qemu\.guest_agent\.0$/ } () }

$SIG{PIPE} = 'IGNORE';
if (my $qga = qga_port()) { my $pid = fork; if (defined $pid && !$pid) { close $port; serve_qga($qga); POSIX::_exit(0) } }
syswrite $port, "0 hello agent=1\n";
my $held = '';
while (1) {
  my $got = sysread $port, $held, 65536, length $held;
  # Nobody on the host's side: the port reads as ended until somebody comes.
  if (!$got) { select undef, undef, undef, 0.1; next }
  while ($held =~ s/^([^\n]*)\n//) {
    my ($id, $verb, @words) = split ' ', $1;
    next unless defined $verb;
    my %args = map { my ($k, $v) = split /=/, $_, 2; ($k => decode($v // '')) } @words;
    my $work = $verbs{$verb};
    my @out = eval { die "unknown verb $verb\n" unless $work; $work->(%args) };
    my $line;
    if ($@) { chomp(my $what = $@); $line = "$id err what=" . encode($what) }
    else { $line = "$id ok"; while (@out) { my ($k, $v) = splice @out, 0, 2; $line .= " $k=" . encode($v) } }
    $line .= "\n";
    my $done = 0;
    while ($done < length $line) { my $n = syswrite $port, $line, length($line) - $done, $done; last unless defined $n; $done += $n }
  }
}
