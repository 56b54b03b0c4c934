--  <tftpkit/plugin.h> in Ada: what the sample needs of it. Records as they travel; numbers are frozen.
with Interfaces.C;
with System;

package Tftpkit is
   pragma Preelaborate;

   package C renames Interfaces.C;

   use type C.int;

   subtype Status is C.int;
   OK       : constant Status := 0;
   Declined : constant Status := 2;
   Internal : constant Status := -1;
   Denied   : constant Status := -20;
   No_Space : constant Status := -30;
   IO       : constant Status := -100;

   Buffer   : constant C.unsigned := 10;
   Streamed : constant C.unsigned := 30;
   Redirect : constant C.unsigned := 40;

   type Unsigned_64 is mod 2**64;
   type Unsigned_16 is mod 2**16;
   type Octet is mod 2**8;
   type Octets is array (Positive range <>) of aliased Octet
     with Component_Size => 8;

   type Str is record
      Ptr : System.Address;
      Len : C.size_t;
   end record
     with Convention => C_Pass_By_Copy;

   type Address is record
      Family : Unsigned_16;
      Port   : Unsigned_16;
      Scope  : C.unsigned;
      Bytes  : Octets (1 .. 16);
   end record
     with Convention => C;

   type Request is record
      Struct_Size      : C.unsigned;
      Op               : C.unsigned;
      Id               : Unsigned_64;
      Announced_Size   : Unsigned_64;
      Path             : Str;
      Wire_Path        : Str;
      Mode             : C.unsigned;
      Blksize          : C.unsigned;
      Windowsize       : C.unsigned;
      Answer_Within_Ms : C.unsigned;
      Peer             : Address;
      Local            : Address;
      Redirects        : C.unsigned;
      Option_Count     : C.unsigned;
      Options          : System.Address;
   end record
     with Convention => C;

   type Source is record
      Struct_Size : C.unsigned;
      Kind        : C.unsigned;
      Size        : Unsigned_64;
      Fd_Offset   : Unsigned_64;
      Transfer    : System.Address;
      Data        : System.Address;
      Target      : Str;
      Fd          : C.int;
      Flags       : C.unsigned;
   end record
     with Convention => C;
end Tftpkit;
