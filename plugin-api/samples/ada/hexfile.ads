--  hexfile: raw images as Intel HEX. NAME.hex is made from NAME.bin in the directory `images`, for the monitors of small
--  boards that take nothing else: records of 16 bytes, a new segment every 64 KiB, each with its checksum.
--
--  scenario/... is what every sample answers in the same way; ../README.md has the list.
with System;
with Tftpkit; use Tftpkit;

package Hexfile is
   --  What about.c calls. Why a call failed is left in the text, of at most Capacity bytes.
   function Create (Greeting, Images : Str; Instance : out System.Address) return Status
     with Export, Convention => C, External_Name => "hexfile_create";
   procedure Destroy (Instance : System.Address)
     with Export, Convention => C, External_Name => "hexfile_destroy";
   function Open
     (Instance : System.Address; Asked : Request; Answer : in out Source; Text : System.Address; Capacity : C.size_t)
      return Status
     with Export, Convention => C, External_Name => "hexfile_open";
   function Read (Mark, Buffer : System.Address; Capacity : C.size_t) return Long_Long_Integer
     with Export, Convention => C, External_Name => "hexfile_read";
   procedure Close (Mark : System.Address)
     with Export, Convention => C, External_Name => "hexfile_close";
end Hexfile;
