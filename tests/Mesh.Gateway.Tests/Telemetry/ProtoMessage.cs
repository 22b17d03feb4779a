using System.Buffers.Binary;
using System.Text;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>A protobuf message read without its schema: fields by number.</summary>
internal sealed class ProtoMessage
{
    private readonly List<(int Field, ReadOnlyMemory<byte> Bytes, ulong Number)> _fields = [];

    public ProtoMessage(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var tag = Varint(ref bytes);
            var field = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    _fields.Add((field, default, Varint(ref bytes)));
                    break;
                case 1:
                    _fields.Add((field, bytes[..8], BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span)));
                    bytes = bytes[8..];
                    break;
                case 2:
                    var length = (int)Varint(ref bytes);
                    _fields.Add((field, bytes[..length], 0));
                    bytes = bytes[length..];
                    break;
                case 5:
                    _fields.Add((field, bytes[..4], BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span)));
                    bytes = bytes[4..];
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7}");
            }
        }
    }

    public IEnumerable<ProtoMessage> Messages(int field) => _fields.Where(f => f.Field == field).Select(f => new ProtoMessage(f.Bytes));

    /// <summary>Messages at the end of a path of fields.</summary>
    public IEnumerable<ProtoMessage> Path(params int[] fields) => fields.Aggregate(new[] { this }.AsEnumerable(), (all, field) => all.SelectMany(m => m.Messages(field)));

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field).Span);

    public ReadOnlyMemory<byte> Bytes(int field) => _fields.LastOrDefault(f => f.Field == field).Bytes;

    public ulong Number(int field) => _fields.LastOrDefault(f => f.Field == field).Number;

    public double Double(int field) => BitConverter.UInt64BitsToDouble(Number(field));

    /// <summary>Attributes that stand in a field as key and value: texts and integers.</summary>
    public Dictionary<string, string> Attributes(int field) => Messages(field).ToDictionary(a => a.Text(1), a =>
    {
        var value = a.Messages(2).Single();
        return value.Text(1) is { Length: > 0 } text ? text : value.Number(3).ToString(null, null);
    });

    private static ulong Varint(ref ReadOnlyMemory<byte> bytes)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = bytes.Span[0];
            bytes = bytes[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }

        throw new InvalidDataException("a varint without an end");
    }
}
