! <tftpkit/plugin.h> in Fortran: what the sample needs of it. Types as they travel; numbers are frozen.
module tftpkit
  use, intrinsic :: iso_c_binding
  implicit none

  integer(c_int), parameter :: status_ok = 0, declined = 2
  integer(c_int), parameter :: internal = -1, access_denied = -20, no_space = -30, bad_option = -80
  integer(c_int), parameter :: buffer = 10, stream = 30, redirect = 40
  integer(c_int), parameter :: parallel = 100

  type, bind(c) :: str
    type(c_ptr) :: ptr = c_null_ptr
    integer(c_size_t) :: len = 0
  end type

  type, bind(c) :: address
    integer(c_int16_t) :: family, port
    integer(c_int32_t) :: scope_id
    integer(c_int8_t) :: bytes(16)
  end type

  type, bind(c) :: request
    integer(c_int32_t) :: struct_size, op
    integer(c_int64_t) :: id, announced_size
    type(str) :: path, wire_path
    integer(c_int32_t) :: mode, blksize, windowsize, answer_within_ms
    type(address) :: peer, local
    integer(c_int32_t) :: redirects, option_count
    type(c_ptr) :: options
  end type

  type, bind(c) :: source
    integer(c_int32_t) :: struct_size, kind
    integer(c_int64_t) :: size, fd_offset
    type(c_ptr) :: transfer, data
    type(str) :: target
    integer(c_int32_t) :: fd, flags
  end type

  type, bind(c) :: host
    integer(c_int32_t) :: struct_size, abi_version
    type(c_ptr) :: impl, product, product_version, instance_name
    type(c_funptr) :: log, log_enabled, explain, setting, setting_int, setting_count, cancelled, complete, &
      peer_link_address, extension
  end type

  type, bind(c) :: plugin
    integer(c_int32_t) :: struct_size, abi_version, abi_minor_needed, execution, flags, reserved
    type(c_ptr) :: name, version, summary, license, homepage, settings_schema
    type(c_funptr) :: create, destroy, start, stop, open_read, read, open_write, write, commit, close, cancel, extension
  end type

  abstract interface
    subroutine explain_call(table, text, length) bind(c)
      import
      type(host), intent(in) :: table
      character(c_char), intent(in) :: text(*)
      integer(c_size_t), value :: length
    end subroutine
    function setting_call(table, pointer, value) bind(c)
      import
      type(host), intent(in) :: table
      character(c_char), intent(in) :: pointer(*)
      type(str), intent(inout) :: value
      integer(c_int32_t) :: setting_call
    end function
  end interface

contains

  integer(c_int) function fail(table, status, why)
    type(host), intent(in) :: table
    integer(c_int), intent(in) :: status
    character(*), intent(in) :: why
    procedure(explain_call), pointer :: explain
    call c_f_procpointer(table%explain, explain)
    call explain(table, why, len(why, c_size_t))
    fail = status
  end function

  ! A setting by JSON pointer; of no length when there is none.
  type(str) function setting(table, pointer)
    type(host), intent(in) :: table
    character(*), intent(in) :: pointer
    procedure(setting_call), pointer :: ask
    integer(c_int32_t) :: found
    call c_f_procpointer(table%setting, ask)
    found = ask(table, pointer // c_null_char, setting)
    if (found == 0) setting = str()
  end function

  function text_of(bytes) result(text)
    type(str), intent(in) :: bytes
    character(:), allocatable :: text
    character(c_char), pointer :: each(:)
    integer(c_size_t) :: i
    allocate (character(bytes%len) :: text)
    if (bytes%len == 0) return
    call c_f_pointer(bytes%ptr, each, [bytes%len])
    do i = 1, bytes%len
      text(i:i) = each(i)
    end do
  end function
end module
