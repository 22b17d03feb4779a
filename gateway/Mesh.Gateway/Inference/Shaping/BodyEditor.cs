using System.Buffers;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Inference.Shaping;

/// <summary>Makes the body that a model server gets: the client's with a few values replaced or put in; every other byte stays.</summary>
internal static class BodyEditor
{
    /// <summary>A copy of a body with the edits made.</summary>
    /// <param name="body">The client's body; its reference stays with the caller.</param>
    /// <param name="edits">Edits that do not overlap, in any order; several at one place are made in the order given.</param>
    public static PooledBody Apply(PooledBody body, Span<BodyEdit> edits)
    {
        Sort(edits);
        var source = body.Memory.Span;
        var length = source.Length;
        foreach (var edit in edits) length += edit.Text.Length - edit.Replaced.Length;
        var array = ArrayPool<byte>.Shared.Rent(length);
        int from = 0, to = 0;
        foreach (var edit in edits)
        {
            source[from..edit.Replaced.Offset].CopyTo(array.AsSpan(to));
            to += edit.Replaced.Offset - from;
            edit.Text.CopyTo(array.AsSpan(to));
            to += edit.Text.Length;
            from = edit.Replaced.Offset + edit.Replaced.Length;
        }

        source[from..].CopyTo(array.AsSpan(to));
        return new PooledBody(array, length);
    }

    // Three at most, and stable.
    private static void Sort(Span<BodyEdit> edits)
    {
        for (var i = 1; i < edits.Length; i++)
        {
            for (var k = i; k > 0 && edits[k].Replaced.Offset < edits[k - 1].Replaced.Offset; k--) (edits[k], edits[k - 1]) = (edits[k - 1], edits[k]);
        }
    }
}

/// <summary>One edit of a body.</summary>
/// <param name="Replaced">What goes; of length 0 where something is put in.</param>
/// <param name="Text">What comes.</param>
internal readonly record struct BodyEdit(ByteRange Replaced, byte[] Text);
