using System.Buffers;
using Mesh.Zmtp;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

/// <summary>Bytes as a peer would send them.</summary>
internal static class WireBytes
{
    public static byte[] Greeting(int minor = 1, string mechanism = "NULL")
    {
        var bytes = ZmtpGreeting.Ours.ToArray();
        bytes[11] = (byte)minor;
        bytes.AsSpan(12, 20).Clear();
        System.Text.Encoding.ASCII.GetBytes(mechanism, bytes.AsSpan(12));
        return bytes;
    }

    public static byte[] Ready(string socketType)
    {
        var output = new ArrayBufferWriter<byte>();
        ZmtpCommands.WriteReady(output, System.Text.Encoding.ASCII.GetBytes(socketType));
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Command(string name, params byte[] data)
    {
        var output = new ArrayBufferWriter<byte>();
        ZmtpCommands.Write(output, System.Text.Encoding.ASCII.GetBytes(name), data);
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Message(params byte[][] frames)
    {
        var output = new ArrayBufferWriter<byte>();
        for (var i = 0; i < frames.Length; i++) ZmtpCommands.WriteFrame(output, frames[i], more: i < frames.Length - 1);
        return output.WrittenSpan.ToArray();
    }

    public static byte[] Body(int length, byte fill)
    {
        var body = new byte[length];
        body.AsSpan().Fill(fill);
        return body;
    }
}
