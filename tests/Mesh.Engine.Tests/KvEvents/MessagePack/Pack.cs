using System.Buffers;
using Mesh.Zmtp.MessagePack;

namespace Mesh.Engine.Tests.KvEvents.MessagePack;

/// <summary>Bytes of MessagePack values for tests: objects in, the shortest encoding out.</summary>
internal static class Pack
{
    /// <summary>Integers, doubles, booleans, strings, byte arrays, null, object arrays, and dictionaries with string keys in their order.</summary>
    public static byte[] Of(object? value)
    {
        var output = new ArrayBufferWriter<byte>();
        Write(new MessagePackWriter(output), value);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(MessagePackWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNil(); break;
            case bool boolean: writer.Write(boolean); break;
            case int integer: writer.Write((long)integer); break;
            case long integer: writer.Write(integer); break;
            case ulong integer: writer.Write(integer); break;
            case double number: writer.Write(number); break;
            case string text: writer.WriteString(System.Text.Encoding.UTF8.GetBytes(text)); break;
            case byte[] bytes: writer.WriteBinary(bytes); break;
            case object?[] array:
                writer.WriteArrayHeader(array.Length);
                foreach (var element in array) Write(writer, element);
                break;
            case (string, object?)[] map:
                writer.WriteMapHeader(map.Length);
                foreach (var (key, element) in map)
                {
                    Write(writer, key);
                    Write(writer, element);
                }
                break;
            default: throw new ArgumentException(value.GetType().Name);
        }
    }
}
