with Ada.Exceptions;
with Ada.Streams.Stream_IO;
with Ada.Unchecked_Conversion;
with Ada.Unchecked_Deallocation;

package body Hexfile is
   use type C.size_t, C.unsigned;

   Line_Feed : constant Character := Character'Val (10);
   Elsewhere : aliased constant String := "elsewhere";

   type Text_Access is access String;
   procedure Free is new Ada.Unchecked_Deallocation (String, Text_Access);

   type Instance_Data is record
      Greeting, Images : Text_Access;
   end record;
   type Instance_Access is access Instance_Data;
   procedure Free is new Ada.Unchecked_Deallocation (Instance_Data, Instance_Access);

   --  What belongs to one transfer until Close.
   type Transfer_Data is record
      At_Byte, Size : Unsigned_64 := 0;
      Content       : Text_Access;
   end record;
   type Transfer_Access is access Transfer_Data;
   procedure Free is new Ada.Unchecked_Deallocation (Transfer_Data, Transfer_Access);

   function To_Instance is new Ada.Unchecked_Conversion (System.Address, Instance_Access);
   function To_Address is new Ada.Unchecked_Conversion (Instance_Access, System.Address);
   function To_Transfer is new Ada.Unchecked_Conversion (System.Address, Transfer_Access);
   function To_Address is new Ada.Unchecked_Conversion (Transfer_Access, System.Address);

   Refused : exception;

   function Image (Text : Str) return String is
      Length : constant Natural := Natural (Text.Len);
      Bytes  : String (1 .. Length)
        with Import, Address => Text.Ptr;
   begin
      return (if Length = 0 then "" else Bytes);
   end Image;

   function Pattern (At_Byte : Unsigned_64) return Character is (Character'Val (At_Byte * 7 mod 251));

   function Begins (Text, Prefix : String) return Boolean is
     (Text'Length >= Prefix'Length and then Text (Text'First .. Text'First + Prefix'Length - 1) = Prefix);

   function Ends (Text, Suffix : String) return Boolean is
     (Text'Length > Suffix'Length and then Text (Text'Last - Suffix'Length + 1 .. Text'Last) = Suffix);

   --  The number behind the prefix, when that is all there is; else -1.
   function Number_Behind (Prefix, Name : String) return Long_Long_Integer is
      Digits_Only : constant String := (if Begins (Name, Prefix) then Name (Name'First + Prefix'Length .. Name'Last) else "");
   begin
      return
        (if Digits_Only'Length in 1 .. 15 and then (for all Digit of Digits_Only => Digit in '0' .. '9')
         then Long_Long_Integer'Value (Digits_Only) else -1);
   end Number_Behind;

   procedure Answer_Text (Answer : in out Source; Text : String) is
      Made : constant Transfer_Access := new Transfer_Data'(Content => new String'(Text), others => <>);
   begin
      Answer.Kind := Buffer;
      Answer.Size := Text'Length;
      Answer.Data := Made.Content.all'Address;
      Answer.Transfer := To_Address (Made);
   end Answer_Text;

   function Pattern_Of (Size : Natural) return String is
   begin
      return Text : String (1 .. Size) do
         for Index in Text'Range loop
            Text (Index) := Pattern (Unsigned_64 (Index - 1));
         end loop;
      end return;
   end Pattern_Of;

   function Peer (Asked : Request) return String is
      function Part (Index : Positive) return String is
         Image : constant String := Asked.Peer.Bytes (Index)'Image;
      begin
         return Image (Image'First + 1 .. Image'Last);
      end Part;
   begin
      return Part (1) & '.' & Part (2) & '.' & Part (3) & '.' & Part (4) & Line_Feed;
   end Peer;

   function Scenario (Self : Instance_Data; Asked : Request; Name : String; Answer : in out Source) return Status is
      In_Memory : constant Long_Long_Integer := Number_Behind ("bytes/", Name);
      Computed  : constant Long_Long_Integer := Number_Behind ("stream/", Name);
   begin
      if In_Memory in 0 .. 2**20 then
         Answer_Text (Answer, Pattern_Of (Natural (In_Memory)));
      elsif Computed >= 0 then
         Answer.Kind := Streamed;
         Answer.Size := Unsigned_64 (Computed);
         Answer.Transfer := To_Address (new Transfer_Data'(Size => Unsigned_64 (Computed), others => <>));
      elsif Name = "greeting" then
         Answer_Text (Answer, Self.Greeting.all & Line_Feed);
      elsif Name = "peer" and then Asked.Peer.Family = 4 then
         Answer_Text (Answer, Peer (Asked));
      elsif Name = "redirect" then
         Answer.Kind := Redirect;
         Answer.Target := (Elsewhere'Address, Elsewhere'Length);
      elsif Name = "refuse" then
         raise Refused with "not for you";
      elsif Name = "fail" then
         Answer_Text (Answer, (1 => Self.Greeting (Natural (Asked.Blksize) * 1_000_000)));
      else
         return Declined;
      end if;
      return OK;
   end Scenario;

   subtype Nibble is Natural range 0 .. 15;
   Hex_Digits : constant array (Nibble) of Character := "0123456789ABCDEF";

   function Hex (Value : Octet) return String is
     ((Hex_Digits (Nibble (Value / 16)), Hex_Digits (Nibble (Value mod 16))));

   --  One line of the file: count, address, kind, data and a checksum that makes all of them zero.
   function Hex_Record (Kind : Octet; Place : Natural; Data : Octets) return String is
      Head : constant Octets := (Data'Length, Octet (Place / 256 mod 256), Octet (Place mod 256), Kind);
      All_Bytes : constant Octets := Head & Data;
      Line : String (1 .. 2 * All_Bytes'Length);
      Sum  : Octet := 0;
   begin
      for Index in All_Bytes'Range loop
         Line (2 * Index - 1 .. 2 * Index) := Hex (All_Bytes (Index));
         Sum := Sum + All_Bytes (Index);
      end loop;
      return ':' & Line & Hex (-Sum) & Line_Feed;
   end Hex_Record;

   function Hex_File (Path : String) return String is
      use Ada.Streams.Stream_IO;
      Segment    : constant := 65_536;
      Per_Record : constant := 16;
      File       : File_Type;
      Text       : Text_Access;
      Used       : Natural := 0;

      procedure Put (Line : String) is
      begin
         Text (Used + 1 .. Used + Line'Length) := Line;
         Used := Used + Line'Length;
      end Put;
   begin
      Open (File, In_File, Path, Form => "shared=no");
      declare
         Count : constant Natural := Natural (Size (File));
         Data  : Octets (1 .. Per_Record);
         Place : Natural := 0;
      begin
         if Count > 2**20 then
            raise Refused with "the image is larger than 1 MiB";
         end if;
         Text := new String (1 .. 3 * Count + 1_024);
         while Place < Count loop
            if Place mod Segment = 0 and then Place > 0 then
               Put (Hex_Record (4, 0, (0, Octet (Place / Segment))));
            end if;
            declare
               This : constant Positive := Natural'Min (Per_Record, Count - Place);
            begin
               for Index in 1 .. This loop
                  Octet'Read (Stream (File), Data (Index));
               end loop;
               Put (Hex_Record (0, Place mod Segment, Data (1 .. This)));
               Place := Place + This;
            end;
         end loop;
         Put (Hex_Record (1, 0, (1 .. 0 => 0)));
      end;
      Close (File);
      return Result : constant String := Text (1 .. Used) do
         Free (Text);
      end return;
   exception
      when others =>
         if Is_Open (File) then
            Close (File);
         end if;
         Free (Text);
         raise;
   end Hex_File;

   function Decide (Self : Instance_Data; Asked : Request; Answer : in out Source) return Status is
      Path  : constant String := Image (Asked.Path);
      Begin_Of_Scenario : constant String := "scenario/";
   begin
      if Begins (Path, Begin_Of_Scenario) then
         return Scenario (Self, Asked, Path (Path'First + Begin_Of_Scenario'Length .. Path'Last), Answer);
      elsif Self.Images.all = "" or else not Ends (Path, ".hex") then
         return Declined;
      end if;
      Answer_Text (Answer, Hex_File (Self.Images.all & '/' & Path (Path'First .. Path'Last - 4) & ".bin"));
      return OK;
   exception
      when Ada.Streams.Stream_IO.Name_Error =>
         return Declined;
   end Decide;

   function Create (Greeting, Images : Str; Instance : out System.Address) return Status is
   begin
      Instance := To_Address (new Instance_Data'(new String'(Image (Greeting)), new String'(Image (Images))));
      return OK;
   exception
      when others =>
         return No_Space;
   end Create;

   procedure Destroy (Instance : System.Address) is
      Self : Instance_Access := To_Instance (Instance);
   begin
      Free (Self.Greeting);
      Free (Self.Images);
      Free (Self);
   end Destroy;

   --  No exception leaves Ada.
   function Open
     (Instance : System.Address; Asked : Request; Answer : in out Source; Text : System.Address; Capacity : C.size_t)
      return Status
   is
      procedure Explain (Why : String) is
         Into : String (1 .. Natural'Min (Why'Length + 1, Natural (Capacity)))
           with Import, Address => Text;
      begin
         Into (1 .. Into'Last - 1) := Why (Why'First .. Why'First + Into'Last - 2);
         Into (Into'Last) := Character'Val (0);
      end Explain;
   begin
      return Decide (To_Instance (Instance).all, Asked, Answer);
   exception
      when Failure : Refused =>
         Explain (Ada.Exceptions.Exception_Message (Failure));
         return Denied;
      when Failure : others =>
         Explain (Ada.Exceptions.Exception_Name (Failure) & ": " & Ada.Exceptions.Exception_Message (Failure));
         return Internal;
   end Open;

   function Read (Mark, Buffer : System.Address; Capacity : C.size_t) return Long_Long_Integer is
      From  : Transfer_Data renames To_Transfer (Mark).all;
      Count : constant Natural := Natural (Unsigned_64'Min (From.Size - From.At_Byte, Unsigned_64 (Capacity)));
      Into  : String (1 .. Count)
        with Import, Address => Buffer;
   begin
      for Index in Into'Range loop
         Into (Index) := Pattern (From.At_Byte);
         From.At_Byte := From.At_Byte + 1;
      end loop;
      return Long_Long_Integer (Count);
   end Read;

   procedure Close (Mark : System.Address) is
      use type System.Address;
      Ended : Transfer_Access := To_Transfer (Mark);
   begin
      if Mark /= System.Null_Address then
         Free (Ended.Content);
         Free (Ended);
      end if;
   end Close;
end Hexfile;
