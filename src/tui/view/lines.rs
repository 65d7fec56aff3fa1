//! The lines around the image: which one it is, what the hand holds, whether all is saved, what just happened.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};
use unicode_width::UnicodeWidthStr;

use super::{
    super::{
        app::{
            App,
            tools::{Gesture, Tool},
        },
        command::Command,
        keymap::Context,
        text::{counted, harmless},
    },
    bar, clear, faint, plain, put,
};
use crate::domain::Status;
use rival10_drawing::Tip;

pub(super) fn title(app: &App, area: Rect, buffer: &mut Buffer) {
    clear(buffer, area, bar());
    let mut left = format!(" {}", harmless(&app.project));
    if let Some(open) = &app.open {
        let instance = open.instance();
        let class = instance.class.and_then(|class| app.taxonomy.classes.get(class));
        let class = class.map_or_else(|| "no class yet".to_owned(), |class| harmless(&class.name));
        left += &format!("  #{} {}  {class}", open.item.image, harmless(&open.item.name));
        if open.instances.len() > 1 {
            left += &format!(" {}/{}", open.active + 1, open.instances.len());
        }
        if !open.item.split.is_empty() {
            left += &format!("  {}", harmless(&open.item.split));
        }
        left += &format!("  {}", instance.status.map_or("new", Status::name));
        if open.author != app.annotator {
            left += &format!(" by {}", harmless(&open.author));
        }
        if app.queue.items.iter().any(|item| item.image == open.item.image && item.flagged) {
            left += "  ⚑";
        }
    }
    let (done, all) = app.queue.progress();
    let mut right = format!("{done}/{all} done");
    if !app.queue.filter.text.is_empty() {
        right = format!("[{}] {right}", harmless(&app.queue.filter.text));
    }
    if app.queue.review {
        right = format!("review {right}");
    }
    let minutes = app.clock.as_secs_f64() / 60.0;
    if app.done > 0 && minutes > 0.5 {
        right += &format!("  {:.0}/h", f64::from(app.done) / minutes * 60.0);
    }
    right += &format!("  {} ", harmless(&app.annotator));
    sides(buffer, area, &left, &right, bar());
}

/// Text at both ends of a line; the right one goes first where both do not fit.
fn sides(buffer: &mut Buffer, area: Rect, left: &str, right: &str, style: Style) {
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    put(buffer, area.right() - wide, area.y, wide, right, style);
    put(buffer, area.x, area.y, (area.width - wide).saturating_sub(1), left, style);
}

pub(super) fn status(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    clear(buffer, area, plain());
    let tools = &app.tools;
    let verb = if tools.erase { "erase" } else { "paint" };
    let mut left = format!(" {verb} {}", app.layer_name(app.layer));
    left += &match tools.tool {
        Tool::Brush => {
            let brush = tools.brush(!tools.erase);
            let tip = if brush.tip == Tip::Circle { "●" } else { "■" };
            format!("  brush {tip} {}", brush.diameter)
        }
        Tool::Wand => format!("  wand ±{}", tools.tolerance),
        tool => format!("  {}", tool.name()),
    };
    if let Some(proposal) = app.proposal() {
        left += &format!("  proposed by {}", harmless(proposal.source.split(' ').next().unwrap_or_default()));
    } else if app.proposals.is_asking() {
        left += "  asking …";
    }
    left += match &app.gesture {
        Some(Gesture::Stroke { .. }) => "  pen down",
        Some(Gesture::Ring { .. } | Gesture::Span { .. }) => "  drawing",
        Some(Gesture::Pan { .. }) | None => "",
    };
    left += &format!("  {}, {}", app.cursor.0, app.cursor.1);
    let scale = 1.0 / app.viewport.scale;
    left += &if scale >= 1.0 { format!("  {scale:.0}x") } else { format!("  {scale:.2}x") };
    if app.peek {
        left += "  peek";
    }
    if let Some(count) = app.count {
        left += &format!("  {count}");
    }
    let (right, style) = match (&app.trouble, app.saving) {
        (Some(_), saving) => {
            let text = format!("NOT SAVED: {} ", counted(saving.max(1).into(), "change", "changes"));
            (text, Style::new().fg(Color::Red).add_modifier(Modifier::BOLD))
        }
        (None, 0) if matches!(app.gesture, Some(Gesture::Stroke { .. })) => ("… pen down ".to_owned(), faint()),
        (None, 0) => (format!("saved {} ", app.saved), plain()),
        (None, saving) => (format!("saving {saving} … saved {} ", app.saved), faint()),
    };
    let style = if app.monochrome { plain() } else { style };
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    put(buffer, area.right() - wide, area.y, wide, &right, style);
    put(buffer, area.x, area.y, (area.width - wide).saturating_sub(1), &left, plain());
}

pub(super) fn hint(app: &App, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    clear(buffer, area, plain());
    let width = area.width.saturating_sub(1);
    // What was just refused, or asked, is said over what goes on being wrong: the line above still says that.
    let said = app.message.as_ref().is_some_and(|message| message.wrong);
    if let Some(reason) = app.trouble.as_ref().filter(|_| !said) {
        let keys = app.keymap.keys_of(Context::Canvas, Command::Retry);
        let text = format!("{} ({keys} tries again now)", harmless(reason));
        put(buffer, area.x + 1, area.y, width, &text, Style::new().add_modifier(Modifier::BOLD));
        return;
    }
    if let Some(command) = app.wants_key {
        let text = format!("{}: press its key", command.summary());
        put(buffer, area.x + 1, area.y, width, &text, plain());
        return;
    }
    if !app.pressed.is_empty() {
        let following: Vec<String> = app
            .keymap
            .following(app.focus, &app.pressed)
            .map(|(chord, command)| format!("{chord} {}", command.name()))
            .collect();
        let typed: Vec<String> = app.pressed.iter().map(ToString::to_string).collect();
        let text = format!("{} … {}", typed.join(" "), following.join("  "));
        put(buffer, area.x + 1, area.y, width, &text, plain());
        return;
    }
    match &app.message {
        Some(message) => {
            let style = if message.wrong { Style::new().add_modifier(Modifier::BOLD) } else { plain() };
            let mark = if message.wrong { "! " } else { "" };
            put(buffer, area.x + 1, area.y, width, &format!("{mark}{}", message.text), style);
        }
        None if app.focus == Context::Canvas && app.proposal().is_some() => {
            let keys = |command| app.keymap.keys_of(Context::Canvas, command);
            let others = app.proposal().map_or(0, |proposal| proposal.layers.len().saturating_sub(1));
            let mut text = format!("{} accept   {} leave", keys(Command::Finish), keys(Command::Cancel));
            if others > 0 {
                text += &format!("   {} {} other layers", keys(Command::PreviousLayer), keys(Command::NextLayer));
            }
            put(buffer, area.x + 1, area.y, width, &text, faint());
        }
        None => {
            let hints: &[Command] = match app.focus {
                Context::Canvas => &[
                    Command::Help,
                    Command::Panel,
                    Command::UndoLayer,
                    Command::Submit,
                    Command::NextImage,
                    Command::Palette,
                    Command::Quit,
                ],
                Context::Panel => &[
                    Command::Help,
                    Command::Panel,
                    Command::PaintRow,
                    Command::RestNo,
                    Command::CopyLast,
                    Command::Submit,
                ],
                Context::Gallery => &[
                    Command::Help,
                    Command::PaintRow,
                    Command::Thumbnails,
                    Command::Filter,
                    Command::Jump,
                    Command::Gallery,
                ],
                Context::Page => &[Command::Help, Command::PaintRow, Command::Cancel],
            };
            let text: Vec<String> = hints
                .iter()
                .map(|&command| {
                    let name = match (app.focus, command) {
                        (Context::Gallery | Context::Page, Command::PaintRow) => "open",
                        (Context::Page, Command::Cancel) => "back",
                        (Context::Panel, Command::Panel) => "image",
                        (_, command) => command.name(),
                    };
                    format!("{} {name}", app.keymap.keys_of(app.focus, command))
                })
                .collect();
            put(buffer, area.x + 1, area.y, width, &text.join("   "), faint());
        }
    }
}
