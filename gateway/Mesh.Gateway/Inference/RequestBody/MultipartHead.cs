using System.Text;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>The fields of a form that the gateway reads.</summary>
internal enum FormField
{
    /// <summary>Any other.</summary>
    Other,

    /// <summary><c>model</c>.</summary>
    Model,

    /// <summary><c>stream</c>.</summary>
    Stream,

    /// <summary><c>prompt</c>.</summary>
    Prompt,

    /// <summary><c>file</c>.</summary>
    File,
}

/// <summary>What the head of one part says.</summary>
/// <param name="Field">Its field.</param>
/// <param name="IsFile">True when it names a file.</param>
internal readonly record struct MultipartHead(FormField Field, bool IsFile)
{
    /// <summary>Reads the head of a part; false when its disposition is missing, double or written in a way that others could read differently.</summary>
    public static bool TryRead(ReadOnlySpan<byte> head, out MultipartHead result)
    {
        result = default;
        var seen = false;
        while (!head.IsEmpty)
        {
            var end = head.IndexOf("\r\n"u8);
            var line = end < 0 ? head : head[..end];
            head = end < 0 ? default : head[(end + 2)..];
            var colon = line.IndexOf((byte)':');
            // A line that goes on with the one before is out of use and read in different ways.
            if (colon <= 0 || line[0] is (byte)' ' or (byte)'\t' || line.ContainsAny("\r\n\0"u8)) return false;
            if (!Ascii.EqualsIgnoreCase(line[..colon].Trim((byte)' '), "content-disposition"u8)) continue;
            if (seen || !TryReadDisposition(line[(colon + 1)..], out result)) return false;
            seen = true;
        }

        return seen;
    }

    private static bool TryReadDisposition(ReadOnlySpan<byte> text, out MultipartHead result)
    {
        result = default;
        text = text.Trim(" \t"u8);
        if (text.Length < 9 || !Ascii.EqualsIgnoreCase(text[..9], "form-data"u8)) return false;
        text = text[9..];
        var field = default(FormField?);
        var isFile = false;
        while (!(text = text.TrimStart(" \t;"u8)).IsEmpty)
        {
            var equals = text.IndexOf((byte)'=');
            if (equals <= 0) return false;
            var name = text[..equals].Trim((byte)' ');
            text = text[(equals + 1)..];
            if (!TryTakeValue(ref text, out var value)) return false;
            if (Ascii.EqualsIgnoreCase(name, "name"u8))
            {
                if (field is not null || value.Contains((byte)'\\') || value.Contains((byte)'%')) return false;
                field = FieldOf(value);
            }
            else if (Ascii.EqualsIgnoreCase(name, "name*"u8))
            {
                return false;
            }
            else if (name.Length >= 8 && Ascii.EqualsIgnoreCase(name[..8], "filename"u8))
            {
                isFile = true;
            }
        }

        if (field is null) return false;
        result = new MultipartHead(field.Value, isFile);
        return true;
    }

    private static bool TryTakeValue(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> value)
    {
        value = default;
        text = text.TrimStart((byte)' ');
        int end;
        if (text is [(byte)'"', ..])
        {
            for (end = 1; end < text.Length && text[end] != '"'; end++)
            {
                if (text[end] == '\\') end++;
            }

            if (end >= text.Length) return false;
            value = text[1..end];
            text = text[(end + 1)..];
            return text.IsEmpty || text[0] is (byte)';' or (byte)' ' or (byte)'\t';
        }

        end = text.IndexOf((byte)';');
        value = (end < 0 ? text : text[..end]).TrimEnd(" \t"u8);
        text = end < 0 ? default : text[end..];
        return !value.IsEmpty;
    }

    private static FormField FieldOf(ReadOnlySpan<byte> name)
    {
        if (name.SequenceEqual("model"u8)) return FormField.Model;
        if (name.SequenceEqual("stream"u8)) return FormField.Stream;
        if (name.SequenceEqual("prompt"u8)) return FormField.Prompt;
        return name.SequenceEqual("file"u8) ? FormField.File : FormField.Other;
    }
}
