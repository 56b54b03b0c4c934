! window: tables for signal processors that boot from the network. window/hann/1024.f32 are the 1024 coefficients of that
! window as 32-bit floats, lowest byte first; also hamming, blackman and sine (one period). Computed when they are asked for.
!
! scenario/... is what every sample answers in the same way; ../README.md has the list.
!
! Compiled with -frecursive: else gfortran may keep large local arrays in static memory, which all threads would share.
module window
  use tftpkit
  implicit none
  private

  type :: instance
    type(host), pointer :: table
    character(:), allocatable :: greeting
  end type

  ! What belongs to one transfer until close.
  type :: transfer_data
    integer(c_int64_t) :: at = 0, size = 0
    character(:), pointer :: content => null()
  end type

  character(*), parameter :: name = "sample-fortran" // c_null_char
  character(*), parameter :: version = "1.0" // c_null_char
  character(*), parameter :: summary = "Tables for signal processors" // c_null_char
  character(*), parameter :: license = "MIT" // c_null_char
  character(*), parameter :: schema = '{"type": "object", "additionalProperties": false, "properties": {"greeting":' // &
    ' {"type": "string", "default": "Hello", "description": "what scenario/greeting says"}}}' // c_null_char
  character(len(name)), target, save :: name_text = name
  character(len(version)), target, save :: version_text = version
  character(len(summary)), target, save :: summary_text = summary
  character(len(license)), target, save :: license_text = license
  character(len(schema)), target, save :: schema_text = schema
  character(9), target, save :: elsewhere = "elsewhere"
  type(plugin), target, save :: descriptor

contains

  pure character function pattern(at)
    integer(c_int64_t), intent(in) :: at
    pattern = achar(int(mod(at * 7, 251_c_int64_t)))
  end function

  ! The number in front of `ending` and behind `beginning`; -1 for anything else.
  integer(c_int64_t) function number_in(text, beginning, ending) result(number)
    character(*), intent(in) :: text, beginning, ending
    integer :: first, last, failed
    number = -1
    first = len(beginning) + 1
    last = len(text) - len(ending)
    if (last < first .or. last - first > 14) return
    if (index(text, beginning) /= 1 .or. text(last + 1:) /= ending) return
    if (verify(text(first:last), "0123456789") /= 0) return
    read (text(first:last), *, iostat=failed) number
    if (failed /= 0) number = -1
  end function

  ! A mark for a transfer of so many bytes, with memory for them when `with_content`.
  integer(c_int) function begin(answer, size, with_content, made) result(status)
    type(source), intent(inout) :: answer
    integer(c_int64_t), intent(in) :: size
    logical, intent(in) :: with_content
    type(transfer_data), pointer, intent(out) :: made
    integer :: failed
    status = no_space
    allocate (made, stat=failed)
    if (failed /= 0) return
    if (with_content) allocate (character(size) :: made%content, stat=failed)
    if (failed /= 0) then
      deallocate (made)
      return
    end if
    made%size = size
    answer%size = size
    answer%transfer = c_loc(made)
    answer%kind = stream
    if (with_content) then
      answer%kind = buffer
      answer%data = c_loc(made%content)
    end if
    status = status_ok
  end function

  integer(c_int) function answer_text(answer, text) result(status)
    type(source), intent(inout) :: answer
    character(*), intent(in) :: text
    type(transfer_data), pointer :: made
    status = begin(answer, len(text, c_int64_t), .true., made)
    if (status == status_ok) made%content = text
  end function

  integer(c_int) function answer_pattern(answer, size) result(status)
    type(source), intent(inout) :: answer
    integer(c_int64_t), intent(in) :: size
    type(transfer_data), pointer :: made
    integer(c_int64_t) :: at
    status = begin(answer, size, .true., made)
    if (status /= status_ok) return
    do at = 1, size
      made%content(at:at) = pattern(at - 1)
    end do
  end function

  function peer_text(asked) result(line)
    type(request), intent(in) :: asked
    character(:), allocatable :: line
    character(16) :: words
    integer :: i
    line = ""
    do i = 1, 4
      write (words, "(i0)") iand(int(asked%peer%bytes(i)), 255)
      line = line // trim(words)
      if (i < 4) line = line // "."
    end do
    line = line // new_line("a")
  end function

  integer(c_int) function scenario(self, asked, what, answer) result(status)
    type(instance), intent(in) :: self
    type(request), intent(in) :: asked
    character(*), intent(in) :: what
    type(source), intent(inout) :: answer
    type(transfer_data), pointer :: made
    integer(c_int64_t) :: in_memory, streamed
    in_memory = number_in(what, "bytes/", "")
    streamed = number_in(what, "stream/", "")
    status = declined
    if (in_memory >= 0 .and. in_memory <= 2**20) then
      status = answer_pattern(answer, in_memory)
    else if (streamed >= 0) then
      status = begin(answer, streamed, .false., made)
    else if (what == "greeting") then
      status = answer_text(answer, self%greeting // new_line("a"))
    else if (what == "peer" .and. asked%peer%family == 4) then
      status = answer_text(answer, peer_text(asked))
    else if (what == "redirect") then
      answer%kind = redirect
      answer%target = str(c_loc(elsewhere), len(elsewhere, c_size_t))
      status = status_ok
    else if (what == "refuse") then
      status = fail(self%table, access_denied, "not for you")
    else if (what == "fail") then
      status = fail(self%table, internal, "Fortran has no exceptions")
    end if
  end function

  ! Coefficient i of n.
  elemental real(c_float) function coefficient(kind, i, n)
    character(*), intent(in) :: kind
    integer, intent(in) :: i, n
    real(c_double), parameter :: pi = acos(-1.0_c_double)
    real(c_double) :: x
    x = 2 * pi * (i - 1) / max(n - 1, 1)
    select case (kind)
    case ("hann")
      coefficient = real(0.5_c_double - 0.5_c_double * cos(x), c_float)
    case ("hamming")
      coefficient = real(0.54_c_double - 0.46_c_double * cos(x), c_float)
    case ("blackman")
      coefficient = real(0.42_c_double - 0.5_c_double * cos(x) + 0.08_c_double * cos(2 * x), c_float)
    case default
      coefficient = real(sin(2 * pi * (i - 1) / n), c_float)
    end select
  end function

  integer(c_int) function table_of(kind, path, answer) result(status)
    character(*), intent(in) :: kind, path
    type(source), intent(inout) :: answer
    type(transfer_data), pointer :: made
    integer(c_int64_t) :: count
    integer :: i, word, byte
    status = declined
    count = number_in(path, "window/" // kind // "/", ".f32")
    if (count < 1 .or. count > 2**20) return
    status = begin(answer, 4 * count, .true., made)
    if (status /= status_ok) return
    do i = 1, int(count)
      word = transfer(coefficient(kind, i, int(count)), word)
      do byte = 0, 3
        made%content(4 * i - 3 + byte:4 * i - 3 + byte) = achar(ibits(word, 8 * byte, 8))
      end do
    end do
  end function

  integer(c_int) function create(table, self) bind(c, name="window_create")
    type(host), intent(in), target :: table
    type(c_ptr), intent(out) :: self
    type(instance), pointer :: made
    allocate (made)
    made%table => table
    made%greeting = text_of(setting(table, "/greeting"))
    create = status_ok
    if (len(made%greeting) == 0) then
      deallocate (made)
      create = fail(table, bad_option, "/greeting is empty: give a line")
    else
      self = c_loc(made)
    end if
  end function

  subroutine destroy(self) bind(c, name="window_destroy")
    type(c_ptr), value :: self
    type(instance), pointer :: made
    call c_f_pointer(self, made)
    deallocate (made)
  end subroutine

  integer(c_int) function open_read(self, asked, answer) bind(c, name="window_open") result(status)
    type(c_ptr), value :: self
    type(request), intent(in) :: asked
    type(source), intent(inout) :: answer
    character(8), parameter :: kinds(4) = [character(8) :: "hann", "hamming", "blackman", "sine"]
    character(*), parameter :: scenarios = "scenario/"
    character(:), allocatable :: path
    type(instance), pointer :: made
    integer :: i
    call c_f_pointer(self, made)
    path = text_of(asked%path)
    status = declined
    if (index(path, scenarios) == 1) then
      status = scenario(made, asked, path(len(scenarios) + 1:), answer)
      return
    end if
    do i = 1, size(kinds)
      status = table_of(trim(kinds(i)), path, answer)
      if (status /= declined) return
    end do
  end function

  integer(c_int64_t) function read_next(self, mark, into, capacity) bind(c, name="window_read") result(count)
    type(c_ptr), value :: self, mark
    integer(c_size_t), value :: capacity
    character(c_char), intent(inout) :: into(capacity)
    type(transfer_data), pointer :: from
    integer(c_int64_t) :: i
    call c_f_pointer(mark, from)
    count = min(from%size - from%at, int(capacity, c_int64_t))
    do i = 1, count
      into(i) = pattern(from%at + i - 1)
    end do
    from%at = from%at + count
  end function

  subroutine close_transfer(self, mark, outcome) bind(c, name="window_close")
    type(c_ptr), value :: self, mark, outcome
    type(transfer_data), pointer :: ended
    if (.not. c_associated(mark)) return
    call c_f_pointer(mark, ended)
    if (associated(ended%content)) deallocate (ended%content)
    deallocate (ended)
  end subroutine

  ! Addresses of procedures are no constants in Fortran, so the descriptor is filled in here, each time with the same.
  type(c_ptr) function entry() bind(c, name="tftpkit_plugin_v1")
    descriptor%struct_size = int(c_sizeof(descriptor), c_int32_t)
    descriptor%abi_version = 65536
    descriptor%execution = parallel
    descriptor%name = c_loc(name_text)
    descriptor%version = c_loc(version_text)
    descriptor%summary = c_loc(summary_text)
    descriptor%license = c_loc(license_text)
    descriptor%settings_schema = c_loc(schema_text)
    descriptor%create = c_funloc(create)
    descriptor%destroy = c_funloc(destroy)
    descriptor%open_read = c_funloc(open_read)
    descriptor%read = c_funloc(read_next)
    descriptor%close = c_funloc(close_transfer)
    entry = c_loc(descriptor)
  end function
end module
