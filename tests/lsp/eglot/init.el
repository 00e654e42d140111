;; -*- lexical-binding: t -*-
;; Emacs with eglot and nothing else. What a user configures stands between the rulers.
(setq inhibit-startup-screen t
      eldoc-echo-area-use-multiline-p t
      eglot-autoshutdown t
      create-lockfiles nil
      make-backup-files nil
      auto-save-default nil)
(define-derived-mode rust-mode prog-mode "Rust")
(add-to-list 'auto-mode-alist '("\\.rs\\'" . rust-mode))
(require 'eglot)
;; ------------------------------------------------------------------------------------------------------------------
(add-to-list 'eglot-server-programs
             (list 'rust-mode (getenv "RSPROF") "serve"
                   :initializationOptions (list :attach (string-to-number (getenv "TARGET_PID")))))
;; eglot asks for hints again when the text changes or scrolls; this lets the server say when the numbers changed.
(cl-defmethod eglot-client-capabilities :around (_server)
  (let ((capabilities (cl-call-next-method)))
    (plist-put capabilities :workspace
               (plist-put (plist-get capabilities :workspace) :inlayHint '(:refreshSupport t)))))
(cl-defmethod eglot-handle-request (server (_method (eql workspace/inlayHint/refresh)))
  (dolist (buffer (eglot--managed-buffers server))
    (with-current-buffer buffer (eglot--update-hints-1 (point-min) (point-max)))))
;; ------------------------------------------------------------------------------------------------------------------
(add-hook 'rust-mode-hook #'eglot-ensure)
(setq eldoc-echo-area-prefer-doc-buffer nil
      max-mini-window-height 0.5)
(global-set-key (kbd "C-c h") #'eldoc)
